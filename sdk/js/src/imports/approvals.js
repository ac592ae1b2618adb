export { listApprovals } from "lockgate:policy/approvals@1.0.0";
