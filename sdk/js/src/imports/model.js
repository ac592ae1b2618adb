export { artifacts, card, getMetadata, tag, tags } from "lockgate:policy/model@1.0.0";
