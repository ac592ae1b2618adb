export { names, read } from "lockgate:policy/documents@1.0.0";
