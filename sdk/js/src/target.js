/** Where a version is to go, or comes from. As text it is `stage:Production`. */
export class Target {
  constructor(kind, name) {
    this.kind = kind;
    this.name = name;
  }

  static stage(name) {
    return new Target("stage", name);
  }

  static alias(name) {
    return new Target("alias", name);
  }

  static environment(name) {
    return new Target("environment", name);
  }

  /** From the contract's variant; what is a target already stays as it is. */
  static from(target) {
    return target instanceof Target ? target : new Target(target.tag, target.val);
  }

  toString() {
    return `${this.kind === "environment" ? "env" : this.kind}:${this.name}`;
  }
}
