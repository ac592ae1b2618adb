export { listSources } from "lockgate:policy/sources@1.0.0";
