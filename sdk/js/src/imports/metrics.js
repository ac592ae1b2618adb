export {
  baseline,
  baselineNamed,
  candidate,
  candidateNamed,
  unmeasured,
} from "lockgate:policy/metrics@1.0.0";
