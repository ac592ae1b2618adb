export { current, transitions } from "lockgate:policy/history@1.0.0";
