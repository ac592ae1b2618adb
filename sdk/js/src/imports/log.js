export { log } from "lockgate:policy/log@1.0.0";
