export { findings, findingsOf, scans } from "lockgate:policy/security@1.0.0";
