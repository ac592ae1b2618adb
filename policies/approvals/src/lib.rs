//! The standard policy `approvals`.

mod names;
mod places;

use lockgate_sdk::prelude::*;
use names::name_of;

/// Who must have agreed.
#[params]
#[schemars(extend(
    "examples" = [{"required": [{"role": "risk"}, {"count": 2}], "max-age-days": 30}]
))]
pub struct Params {
    /// The approvals that are needed. A person counts for one of them only, even in two roles.
    #[schemars(length(min = 1))]
    required: Vec<Requirement>,
    /// The greatest age of an approval, in days; without it, any.
    #[schemars(range(min = 1))]
    max_age_days: Option<u32>,
}

/// Approvals of one kind.
#[params]
pub struct Requirement {
    /// The role in which to approve; capital letters make no difference. Without it, any role and
    /// none.
    role: Option<String>,
    /// How many people must approve.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    count: u32,
}

const fn one() -> u32 {
    1
}

/// The most people that all requirements together may ask for.
const MAX_PEOPLE: u32 = 100;

/// What this policy checks.
#[derive(Clone, Copy, Rules)]
pub enum Rule {
    /// Requester known
    ///
    /// It is known who asks for the promotion. Fails otherwise: an approval could be their own.
    Requester,
    /// Approved
    ///
    /// As many different people as required have approved, in the role required. The one who asks
    /// never counts, nor does an approval from after the request or one that is older than
    /// `max-age-days`. Names are compared as people read them: without regard to capital letters,
    /// to how an accent is encoded (Unicode's NFKC), or to characters that cannot be seen.
    Approved,
}

/// Requires approvals by people other than the one who asks.
#[policy(name = "approvals", rules = Rule)]
fn evaluate(params: Params, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
    params.validate()?;
    let request = evidence.request();
    let requester = request.requested_by.as_deref().map(name_of).filter(|name| !name.is_empty());
    let mut checks = vec![match &requester {
        Some(requester) => Check::pass(Rule::Requester, format!("`{requester}` asks")),
        None => Check::fail(Rule::Requester, "it is not known who asks for the promotion")
            .remedy("name who asks, so that nobody approves their own request"),
    }];
    let (mut counted, mut dismissed) = (Vec::new(), Vec::new());
    for approval in evidence.approvals() {
        match params.dismissal(&approval, requester.as_deref(), request.at) {
            None => counted.push(approval),
            Some(reason) => dismissed.push(reason),
        }
    }
    checks.extend(params.judge(&counted, &dismissed));
    Ok(checks)
}

impl Params {
    fn validate(&self) -> Result<(), Refusal> {
        let people = self.required.iter().map(|it| it.count).fold(0, u32::saturating_add);
        let problem = if self.required.is_empty() {
            "`required` is empty; ask for at least one approval".to_owned()
        } else if self.required.iter().any(|requirement| requirement.count == 0) {
            "a `count` is 0; ask for at least one approval".to_owned()
        } else if people > MAX_PEOPLE {
            format!("{people} approvals are more than the {MAX_PEOPLE} that can be asked for")
        } else {
            return Ok(());
        };
        Err(Refusal::Params(problem))
    }

    /// Why an approval does not count.
    fn dismissal(&self, approval: &Approval, requester: Option<&str>, at: u64) -> Option<String> {
        let approver = name_of(&approval.approver);
        let age_limit = self.max_age_days.map(|days| u64::from(days) * 86_400);
        if approver.is_empty() {
            Some("one names nobody".to_owned())
        } else if requester == Some(approver.as_str()) {
            Some(format!("`{approver}` asks for the promotion"))
        } else if approval.at > at {
            Some(format!("that of `{approver}` is from after the request"))
        } else if age_limit.is_some_and(|limit| at - approval.at > limit) {
            Some(format!("that of `{approver}` is too old"))
        } else {
            None
        }
    }

    fn judge(&self, counted: &[Approval], dismissed: &[String]) -> Vec<Check> {
        let dismissed = if dismissed.is_empty() {
            String::new()
        } else {
            let named: Vec<&str> = dismissed.iter().take(5).map(String::as_str).collect();
            format!("; not counted: {}", named.join(", "))
        };
        let approvers = places::fill(&self.required, counted);
        let judged = self.required.iter().zip(approvers);
        judged.map(|(requirement, approvers)| requirement.check(&approvers, &dismissed)).collect()
    }
}

impl Requirement {
    fn check(&self, approvers: &[String], dismissed: &str) -> Check {
        let role = self.role.as_deref().unwrap_or("anyone");
        let count = self.count;
        let check = Check::at_least(
            Rule::Approved,
            format!("approvals by {role}"),
            approvers.len() as f64,
            count.into(),
        );
        let who = if approvers.is_empty() { "nobody".to_owned() } else { approvers.join(", ") };
        let approvals = if count == 1 { "approval" } else { "approvals" };
        let message = match check.outcome {
            Outcome::Pass => format!("approved by {who}"),
            Outcome::Fail | Outcome::Warn | Outcome::Skip => {
                format!("{count} {approvals} by {role} needed, approved by {who}{dismissed}")
            }
        };
        let people = match count {
            1 => "somebody".to_owned(),
            _ => format!("{count} different people"),
        };
        let part = self.role.as_ref().map_or_else(String::new, |role| format!(" as {role}"));
        let remedy = format!("have {people} other than the one who asks approve{part}");
        check.message(message).about(role).remedy(remedy)
    }
}

#[cfg(test)]
mod tests;
