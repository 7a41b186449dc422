//! The way back in: the ordered plan with commands for this cluster, each option saying whether it works here, and why not.
//!
//! Rule: EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries"; IAM User Guide on unique ids. What is not in
//! the logs (who is to be the new admin) stands as a name in capitals, never as a guess.

use eksplain_parse::arn::{Arn, sso_permission_set};
use eksplain_parse::region::partition_of;
use eksplain_queries::facts::Micros;

use crate::findings::{Creator, PrincipalState, Recovery, RecoveryOption, Works};
use crate::knowledge::{Known, Measure};
use crate::shell::quote;
use crate::state::{Incarnation, Mode};

/// The whole plan.
pub(super) fn recovery(
    life: &Incarnation<'_>,
    creator: &Creator,
    mode: Mode,
    rests_on_id: bool,
    at: Micros,
) -> Recovery {
    if let Some(ended) = creator.deleted_at {
        let why = format!(
            "the cluster was deleted at {}",
            eksplain_parse::time::format_rfc3339(ended)
        );
        return Recovery {
            needed: false,
            why,
            options: Vec::new(),
        };
    }
    let is_gone = match creator.creator_state {
        PrincipalState::Deleted => true,
        PrincipalState::Recreated => rests_on_id,
        PrincipalState::Present | PrincipalState::Unknown => false,
    };
    let needed = is_gone && creator.other_admins.is_empty();
    let name = creator.creator.principal.as_deref().unwrap_or("the creator");
    let why = match (is_gone, creator.other_admins.len()) {
        (true, 0) => match creator.creator_state {
            PrincipalState::Recreated => format!(
                "{name} was deleted and created again, its access rests on the old unique id, and no other admin route is active"
            ),
            _ => format!("{name} was deleted and no other admin route is active"),
        },
        (true, others) => format!("{name} is gone, and {others} other admin route holders can let somebody in"),
        (false, _) if creator.creator_state == PrincipalState::Recreated => {
            format!("{name} was created again under the same name, which is what its access rests on")
        }
        (false, 0) if creator.creator.principal.is_none() => "the creator is not known from these logs".to_owned(),
        (false, _) => format!("no record shows that {name} is gone"),
    };
    // Not known is not empty: somebody may be mapped there.
    let is_in_the_dark = needed && mode != Mode::Api && life.aws_auth_at(at, Measure::Standing).is_unknown();
    let why = if is_in_the_dark {
        format!("{why}; what aws-auth holds is not in these logs and may let somebody in")
    } else {
        why
    };
    let plan = Plan {
        life,
        creator,
        mode,
        rests_on_id,
        at,
    };
    let options = vec![
        plan.other_admin(),
        plan.access_entry(),
        plan.stale_entry(),
        plan.assume_creator(),
        plan.recreate_creator(),
        plan.repair_aws_auth(),
        plan.support(),
    ];
    Recovery {
        needed,
        why,
        options: options.into_iter().flatten().collect(),
    }
}

/// The commands that make a principal cluster admin by an access entry.
pub(crate) fn admin_entry_commands(cluster: &str, region: &str, principal_arn: &str) -> Vec<String> {
    let (cluster, region, partition) = (quote(cluster), quote(region), partition_of(region));
    let arn = quote(principal_arn);
    vec![
        format!(
            "aws eks create-access-entry --cluster-name {cluster} --region {region} --principal-arn {arn} --type STANDARD"
        ),
        format!(
            "aws eks associate-access-policy --cluster-name {cluster} --region {region} --principal-arn {arn} --policy-arn \
             arn:{partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy --access-scope type=cluster"
        ),
    ]
}

struct Plan<'p> {
    life: &'p Incarnation<'p>,
    creator: &'p Creator,
    mode: Mode,
    rests_on_id: bool,
    at: Micros,
}

fn option(
    title: &str,
    works: Works,
    why: impl Into<String>,
    commands: Vec<String>,
    caveats: &[&str],
) -> RecoveryOption {
    RecoveryOption {
        title: title.to_owned(),
        works,
        why: why.into(),
        commands,
        caveats: caveats.iter().map(|text| (*text).to_owned()).collect(),
    }
}

impl Plan<'_> {
    fn cluster(&self) -> String {
        quote(&self.life.cluster.name)
    }

    fn region(&self) -> String {
        if self.life.cluster.region.is_empty() {
            "REGION".to_owned()
        } else {
            quote(&self.life.cluster.region)
        }
    }

    fn new_admin(&self) -> String {
        let account = if self.life.cluster.account.is_empty() {
            "ACCOUNT"
        } else {
            &self.life.cluster.account
        };
        format!(
            "arn:{}:iam::{account}:role/NEW_ADMIN",
            partition_of(&self.life.cluster.region)
        )
    }

    fn creator_name(&self) -> Option<&str> {
        self.creator.creator.principal.as_deref()
    }

    fn other_admin(&self) -> Option<RecoveryOption> {
        let (cluster, region) = (self.cluster(), self.region());
        let (works, why) = match self.creator.other_admins.as_slice() {
            [] => (
                Works::No,
                "no other principal has an active admin route in these logs".to_owned(),
            ),
            others => (Works::Yes, format!("active admins: {}", others.join(", "))),
        };
        let commands = match self.mode {
            Mode::Api | Mode::ApiAndConfigMap | Mode::SomeApi => {
                admin_entry_commands(&self.life.cluster.name, &self.life.cluster.region, &self.new_admin())
            }
            _ => vec![format!(
                "eksctl create iamidentitymapping --cluster {cluster} --region {region} --arn {} --username admin --group system:masters --no-duplicate-arns",
                self.new_admin()
            )],
        };
        Some(option(
            "Ask another admin",
            works,
            why,
            commands,
            &["put the role that is to be admin in place of NEW_ADMIN"],
        ))
    }

    fn access_entry(&self) -> Option<RecoveryOption> {
        let (cluster, region) = (self.cluster(), self.region());
        let mut commands = vec![format!(
            "aws eks describe-cluster --name {cluster} --region {region} --query 'cluster.{{mode:accessConfig.authenticationMode,version:version,platform:platformVersion,status:status}}'"
        )];
        let mut caveats = vec![
            "needs the IAM rights eks:DescribeCluster, eks:UpdateClusterConfig, eks:CreateAccessEntry and eks:AssociateAccessPolicy, and no Kubernetes right",
            "the ARN is that of the role with its path, not of a session; no wildcards",
        ];
        if !matches!(self.mode, Mode::Api | Mode::ApiAndConfigMap | Mode::SomeApi) {
            commands.push(format!("aws eks update-cluster-config --name {cluster} --region {region} --access-config authenticationMode=API_AND_CONFIG_MAP"));
            commands.push(format!(
                "aws eks wait cluster-active --name {cluster} --region {region}"
            ));
            caveats.push("the change of mode cannot be undone; go to API_AND_CONFIG_MAP and not to API, or everybody mapped in aws-auth loses access");
            caveats.push("clusters below platform version 1.23 eks.17, 1.24 eks.15, 1.25 eks.12, 1.26 eks.11, 1.27 eks.10, 1.28 eks.6, 1.29 eks.1, 1.30 eks.2 have no access entries");
        }
        commands.extend(admin_entry_commands(
            &self.life.cluster.name,
            &self.life.cluster.region,
            &self.new_admin(),
        ));
        commands.push(format!(
            "aws eks update-kubeconfig --name {cluster} --region {region} --role-arn {}",
            self.new_admin()
        ));
        commands.push("kubectl auth can-i '*' '*' -A".to_owned());
        let (works, why) = match self.mode {
            Mode::Api | Mode::ApiAndConfigMap | Mode::SomeApi => (
                Works::Yes,
                "the cluster reads access entries: whoever has the IAM rights can make one from outside",
            ),
            Mode::ConfigMap => (
                Works::Yes,
                "the mode is CONFIG_MAP: it must be changed first, which IAM rights alone allow",
            ),
            Mode::Unknown => (
                Works::Depends,
                "the mode is not in these logs: the first command shows it",
            ),
        };
        Some(option(
            "Make an access entry from outside",
            works,
            why,
            commands,
            &caveats,
        ))
    }

    fn stale_entry(&self) -> Option<RecoveryOption> {
        let name = self.creator_name()?;
        if self.creator.creator_state != PrincipalState::Recreated || !self.rests_on_id {
            return None;
        }
        let entry = self
            .life
            .entries
            .iter()
            .rev()
            .find(|entry| entry.canonical.eq_ignore_ascii_case(name));
        let arn = entry.map_or(name, |entry| entry.principal_arn.as_str());
        let mut commands = vec![format!(
            "aws eks delete-access-entry --cluster-name {} --region {} --principal-arn {}",
            self.cluster(),
            self.region(),
            quote(arn)
        )];
        commands.extend(admin_entry_commands(
            &self.life.cluster.name,
            &self.life.cluster.region,
            arn,
        ));
        let why = "the entry is bound to the unique id of the deleted principal; made anew it admits the present one";
        Some(option(
            "Renew the stale access entry",
            Works::Yes,
            why,
            commands,
            &["policies and groups of the old entry go with it"],
        ))
    }

    fn assume_creator(&self) -> Option<RecoveryOption> {
        let name = self.creator_name()?;
        let arn = Arn::parse(name).ok()?;
        if !arn.resource.starts_with("role/") {
            return None;
        }
        let role = quote(arn.name());
        let (works, why) = match self.creator.creator_state {
            PrincipalState::Deleted => (Works::No, "the role was deleted".to_owned()),
            PrincipalState::Recreated if self.rests_on_id => (
                Works::No,
                "the role was created again and its access entry does not admit it".to_owned(),
            ),
            _ if sso_permission_set(arn.name()).is_some() => (
                Works::Depends,
                "a role of Identity Center: assign its permission set, its trust policy cannot be edited".to_owned(),
            ),
            PrincipalState::Unknown => (
                Works::Depends,
                "whether the role exists is not in these logs".to_owned(),
            ),
            _ => (
                Works::Yes,
                format!("{name} exists: whoever may edit its trust policy can use it"),
            ),
        };
        let commands = vec![
            format!("aws iam get-role --role-name {role} --query Role.AssumeRolePolicyDocument"),
            format!("aws iam update-assume-role-policy --role-name {role} --policy-document file://trust.json"),
            format!(
                "aws eks update-kubeconfig --name {} --region {} --role-arn {}",
                self.cluster(),
                self.region(),
                quote(name)
            ),
        ];
        Some(option(
            "Assume the creator's role",
            works,
            why,
            commands,
            &["update-assume-role-policy replaces the whole document: keep the old statements"],
        ))
    }

    fn recreate_creator(&self) -> Option<RecoveryOption> {
        let name = self.creator_name()?;
        let arn = Arn::parse(name).ok()?;
        if self.creator.creator_state != PrincipalState::Deleted {
            return None;
        }
        let principal = quote(arn.name());
        let is_user = arn.resource.starts_with("user/");
        let path = self
            .life
            .created
            .and_then(|call| call.arn.as_deref())
            .and_then(|text| Arn::parse(text).ok())
            .filter(|_| is_user)
            .and_then(|arn| arn.path().map(str::to_owned));
        let commands = match is_user {
            true => {
                let path = path
                    .map(|path| format!(" --path {}", quote(&format!("/{}/", path.trim_matches('/')))))
                    .filter(|text| text != " --path //")
                    .unwrap_or_default();
                vec![
                    format!("aws iam create-user --user-name {principal}{path}"),
                    format!("aws iam create-access-key --user-name {principal}"),
                ]
            }
            false => vec![format!(
                "aws iam create-role --role-name {principal} --assume-role-policy-document file://trust.json"
            )],
        };
        let (works, why) = if sso_permission_set(arn.name()).is_some() {
            (Works::No, "a role of Identity Center cannot be made by hand")
        } else if self.rests_on_id {
            (
                Works::No,
                "its access is an access entry, bound to the unique id of the deleted principal",
            )
        } else {
            match self.mode {
                Mode::ConfigMap => (
                    Works::Yes,
                    "in CONFIG_MAP mode the hidden mapping compares the ARN, which a principal of the same name has again",
                ),
                Mode::ApiAndConfigMap => (
                    Works::Depends,
                    "if EKS made an access entry for the creator, that entry is bound to the old unique id",
                ),
                Mode::Api | Mode::SomeApi => (
                    Works::No,
                    "access rests on an access entry, bound to the unique id of the deleted principal",
                ),
                Mode::Unknown => (
                    Works::Depends,
                    "it works in CONFIG_MAP mode only, and the mode is not in these logs",
                ),
            }
        };
        let caveats = [
            "same account, same partition, same name of the IAM principal (not of the cluster); a user also needs its old path",
        ];
        Some(option(
            "Create the creator again under the same name",
            works,
            why,
            commands,
            &caveats,
        ))
    }

    fn repair_aws_auth(&self) -> Option<RecoveryOption> {
        let Known::Is(current) = self.life.aws_auth_at(self.at, Measure::Standing) else {
            return None;
        };
        if !current.auth.problems.iter().any(|problem| problem.lost_section) {
            return None;
        }
        let mut contents = self.life.aws_auth_contents().map(|(_, content)| content);
        let good = contents.rfind(|content| {
            !content.auth.problems.iter().any(|problem| problem.lost_section) && !content.auth.mappings.is_empty()
        });
        let mut commands = Vec::new();
        if let Some(data) = good.map(|content| &content.data) {
            let manifest = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}, "data": data});
            commands.push(format!("kubectl apply -f - <<'EOF'\n{manifest}\nEOF"));
        } else {
            commands.push("kubectl -n kube-system edit configmap aws-auth".to_owned());
        }
        let can = matches!(
            self.creator.creator_state,
            PrincipalState::Present | PrincipalState::Unknown
        ) || !self.creator.other_admins.is_empty();
        let why = "a section of aws-auth does not parse, so that everybody it mapped is shut out; nodes too";
        Some(option(
            "Repair aws-auth",
            if can { Works::Depends } else { Works::No },
            why,
            commands,
            &["needs an admin that aws-auth does not map: the creator, or an access entry"],
        ))
    }

    fn support(&self) -> Option<RecoveryOption> {
        let why = "the last resort where no option above works, such as a cluster below the platform versions that know access entries";
        Some(option(
            "Ask AWS Support, or make the cluster anew from its manifests",
            Works::Depends,
            why,
            Vec::new(),
            &[],
        ))
    }
}
