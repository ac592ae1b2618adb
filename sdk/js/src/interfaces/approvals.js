import { listApprovals } from "#approvals";

import { whole } from "../whole.js";

export const list = () =>
  listApprovals().map((approval) => ({
    ...approval,
    at: whole(approval.at, `the time of the approval by \`${approval.approver}\``),
  }));
