import { listApprovals } from "#approvals";

import { whole } from "../whole.js";

export const all = () =>
  listApprovals().map((approval) => ({
    ...approval,
    at: whole(approval.at, `the time of the approval by \`${approval.approver}\``),
  }));
