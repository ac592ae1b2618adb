export { results } from "lockgate:policy/tests@1.0.0";
