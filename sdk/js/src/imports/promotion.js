export { getRequest } from "lockgate:policy/promotion@1.0.0";
