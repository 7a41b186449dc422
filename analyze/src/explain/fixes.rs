//! Commands with the names of the text filled in, each quoted for the shell; what the text does not say stands in capitals.
//!
//! The least power: exactly the refused request, never AmazonEKSClusterAdminPolicy for a read, nothing for an attempt to gain power,
//! nothing bound to anonymous. Roles of IAM Identity Center are changed through their permission set only.

use eksplain_parse::arn::{Arn, PrincipalKind};

use super::names::Names;
use crate::quote;
use crate::rbac::{Request, policies, service_account};
use eksplain_parse::region::partition_of;

/// A line of the catalogue as what is printed: a sentence, or commands.
pub(super) fn filled(line: &str, names: &Names) -> Vec<String> {
    match line {
        "@map" => map(names),
        "@mapping" => mapping(names),
        "@entry" => entry(names, None),
        "@node" => node(names),
        "@path" => path(names),
        "@bind" => bind(names),
        "@impersonate" => impersonate(names),
        "@serviceaccount" => account(names),
        "@grant" => grant(names),
        "@simulate" => simulate(names),
        "@policies" => policies_of(names),
        "@boundary" => boundary(names),
        "@trust" => trust(names),
        line => vec![with_names(line, names)],
    }
}

/// Known names for `{cluster}` and alike.
fn with_names(line: &str, names: &Names) -> String {
    let principal = access_entry_arn(names);
    let role = role_name(names);
    let tokens: [(&str, Option<&str>, &str); 9] = [
        ("{cluster}", names.cluster.as_deref(), "CLUSTER"),
        ("{region}", names.region.as_deref(), "REGION"),
        ("{namespace}", names.namespace.as_deref(), "NAMESPACE"),
        ("{profile}", names.profile.as_deref(), "PROFILE"),
        ("{object}", names.object.as_deref(), "NAME"),
        ("{name}", names.name.as_deref(), "NAME"),
        ("{action}", names.action.as_deref(), "ACTION"),
        ("{role}", role.as_deref(), "ROLE"),
        ("{principal}", principal.as_deref(), "PRINCIPAL_ARN"),
    ];
    // One pass from the left: what a name contains is never taken for a token.
    let mut filled = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        match tokens.iter().find(|(token, ..)| rest.starts_with(token)) {
            Some((token, value, placeholder)) => {
                match value {
                    Some(value) => filled.push_str(&quote(value)),
                    None => filled.push_str(placeholder),
                }
                rest = &rest[token.len()..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled + rest
}

/// A role of the AWS side of the text: the one that a message names, else the one that was to be assumed.
fn role_name(names: &Names) -> Option<String> {
    let named = names.role.as_deref().or(names.aws_resource.as_deref());
    let text = named?;
    match Arn::parse(text) {
        Ok(arn) if matches!(arn.kind(), PrincipalKind::Role | PrincipalKind::AssumedRole) => {
            Some(arn.name().to_owned())
        }
        Ok(_) => None,
        Err(_) => names.role.clone(),
    }
}

/// The caller's ARN: the Kubernetes user name is one where no mapping gave it another.
fn caller(names: &Names) -> Option<&str> {
    let user = names.user.as_deref().filter(|user| user.starts_with("arn:"));
    names.principal.as_deref().or(user)
}

/// Whether a role belongs to IAM Identity Center, which alone may change it.
fn is_sso(name: &str) -> bool {
    name.starts_with("AWSReservedSSO_")
}

/// The ARN that an access entry takes; `None` where the text does not tell the path of the role.
fn access_entry_arn(names: &Names) -> Option<String> {
    let text = caller(names)?;
    let arn = Arn::parse(text).ok()?;
    match arn.kind() {
        PrincipalKind::AssumedRole if !is_sso(arn.name()) => Some(format!(
            "arn:{}:iam::{}:role/{}",
            arn.partition,
            arn.account,
            arn.name()
        )),
        PrincipalKind::Role if !is_sso(arn.name()) || arn.path().is_some() => Some(text.to_owned()),
        PrincipalKind::User => Some(text.to_owned()),
        _ => None,
    }
}

/// The command that shows a role's path, where the caller is a role whose ARN the text gives without one.
fn show_path(names: &Names) -> Option<String> {
    let text = caller(names)?;
    let arn = Arn::parse(text).ok()?;
    let is_pathless = match arn.kind() {
        PrincipalKind::AssumedRole => true,
        PrincipalKind::Role => arn.path().is_none(),
        _ => false,
    };
    let use_it = if is_sso(arn.name()) {
        "use it as PRINCIPAL_ARN"
    } else {
        "if it has a path, use this ARN in the access entry"
    };
    is_pathless.then(|| {
        format!(
            "aws iam get-role --role-name {} --query Role.Arn --output text   # {use_it}",
            quote(arn.name())
        )
    })
}

/// `--cluster-name C --region R`.
fn cluster(names: &Names) -> String {
    with_names("--cluster-name {cluster} --region {region}", names)
}

fn partition(names: &Names) -> String {
    let of_caller = caller(names)
        .and_then(|arn| Arn::parse(arn).ok())
        .map(|arn| arn.partition.to_owned());
    of_caller.unwrap_or_else(|| partition_of(names.region.as_deref().unwrap_or_default()).to_owned())
}

/// Both ways to map a principal, by the cluster's mode.
fn map(names: &Names) -> Vec<String> {
    let mut lines = Vec::new();
    if caller(names).is_none() {
        lines.push("aws sts get-caller-identity   # as the refused identity: this is who must be mapped".to_owned());
    }
    lines.push(with_names(
        "aws eks describe-cluster --name {cluster} --region {region} --query cluster.accessConfig.authenticationMode   # API or API_AND_CONFIG_MAP: access entry; CONFIG_MAP: eksctl",
        names,
    ));
    lines.extend(entry(names, Some("AmazonEKSViewPolicy")));
    lines.push(create_mapping(names));
    lines
}

/// An access entry, and a policy for one namespace.
fn entry(names: &Names, policy: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = show_path(names).into_iter().collect();
    let at = cluster(names);
    lines.push(with_names(
        &format!("aws eks create-access-entry {at} --principal-arn {{principal}}"),
        names,
    ));
    lines.push(associate(names, policy.unwrap_or("AmazonEKSViewPolicy")));
    lines
}

fn associate(names: &Names, policy: &str) -> String {
    let scope = match (&names.namespace, &names.resource) {
        // Known to be about the whole cluster.
        (None, Some(_)) => "type=cluster".to_owned(),
        (namespace, _) => format!(
            "type=namespace,namespaces={}",
            namespace.as_deref().map_or("NAMESPACE".to_owned(), quote)
        ),
    };
    let principal = access_entry_arn(names).map_or("PRINCIPAL_ARN".to_owned(), |arn| quote(&arn));
    format!(
        "aws eks associate-access-policy {} --principal-arn {principal} --policy-arn arn:{}:eks::aws:cluster-access-policy/{policy} --access-scope {scope}",
        cluster(names),
        quote(&partition(names))
    )
}

/// The mapping in aws-auth, with the ARN as the authenticator compares it.
fn create_mapping(names: &Names) -> String {
    let arn = caller(names).and_then(|text| Arn::parse(text).ok());
    let arn = arn.and_then(|arn| match arn.kind() {
        PrincipalKind::AssumedRole | PrincipalKind::Role => Some(format!(
            "arn:{}:iam::{}:role/{}",
            arn.partition,
            arn.account,
            arn.name()
        )),
        PrincipalKind::User => Some(arn.to_string()),
        _ => None,
    });
    format!(
        "eksctl create iamidentitymapping {} --arn {} --username USERNAME --group GROUP --no-duplicate-arns",
        with_names("--cluster {cluster} --region {region}", names),
        arn.map_or("ARN_WITHOUT_ROLE_PATH".to_owned(), |arn| quote(&arn))
    )
}

/// A wrong mapping replaced.
fn mapping(names: &Names) -> Vec<String> {
    let at = with_names("--cluster {cluster} --region {region}", names);
    vec![
        format!("eksctl get iamidentitymapping {at}   # the wrong line, its user name and groups"),
        create_mapping(names),
        format!("eksctl delete iamidentitymapping {at} --arn WRONG_ARN --all"),
    ]
}

fn node(names: &Names) -> Vec<String> {
    let role = caller(names)
        .filter(|_| access_entry_arn(names).is_some())
        .map_or("NODE_ROLE_ARN".to_owned(), quote);
    vec![
        with_names(
            "eksplain denials --cluster {cluster} --since 2h   # the ARN that was refused",
            names,
        ),
        format!(
            "aws eks create-access-entry {} --type EC2_LINUX --principal-arn {role}   # modes API and API_AND_CONFIG_MAP",
            cluster(names)
        ),
        format!(
            "eksctl create iamidentitymapping {} --arn {role} --username 'system:node:{{{{EC2PrivateDNSName}}}}' --group system:bootstrappers --group system:nodes   # mode CONFIG_MAP; the ARN without a path",
            with_names("--cluster {cluster} --region {region}", names)
        ),
    ]
}

/// The right ARN for an access entry.
fn path(names: &Names) -> Vec<String> {
    let name = caller(names)
        .and_then(|text| Arn::parse(text).ok())
        .map(|arn| (arn.name().to_owned(), arn.kind()));
    match name {
        Some((name, _)) if name.starts_with("AWSServiceRoleFor") => {
            vec!["leave it out: EKS creates the access entries of service-linked roles itself".to_owned()]
        }
        Some((name, PrincipalKind::User)) => vec![format!(
            "aws iam get-user --user-name {} --query User.Arn --output text   # the ARN to use",
            quote(&name)
        )],
        name => {
            let role = name.map_or("ROLE".to_owned(), |(name, _)| quote(&name));
            vec![
                format!(
                    "aws iam get-role --role-name {role} --query Role.Arn --output text   # the ARN to use, with its path"
                ),
                format!(
                    "aws eks create-access-entry {} --principal-arn ROLE_ARN_WITH_PATH",
                    cluster(names)
                ),
            ]
        }
    }
}

/// Whether a grant of this would make the caller an administrator.
fn gains_power(names: &Names) -> bool {
    let verb = names.verb.as_deref().unwrap_or_default();
    let is_read = matches!(verb, "get" | "list" | "watch");
    let is_rbac = names.api_group.as_deref() == Some("rbac.authorization.k8s.io");
    matches!(verb, "escalate" | "bind" | "impersonate")
        || (is_rbac && !is_read)
        || (names.resource.as_deref() == Some("serviceaccounts") && names.subresource.as_deref() == Some("token"))
}

/// A role and its binding for exactly the refused request, and the narrowest access policy that covers a read.
fn bind(names: &Names) -> Vec<String> {
    let Some(verb) = names.verb.as_deref() else {
        return vec![
            "kubectl auth can-i VERB RESOURCE -n NAMESPACE   # as the refused identity".to_owned(),
            "kubectl create role NAME -n NAMESPACE --verb=VERB --resource=RESOURCE".to_owned(),
            "kubectl create rolebinding NAME -n NAMESPACE --role=NAME --user=USER".to_owned(),
        ];
    };
    if gains_power(names) {
        return vec!["ask a cluster administrator to do it: granting this permission would let the caller make itself an administrator".to_owned()];
    }
    let resource = names.resource.as_deref().unwrap_or("RESOURCE");
    let group = names.api_group.as_deref().filter(|group| !group.is_empty());
    let mut what = resource.to_owned();
    if let Some(group) = group {
        what = format!("{what}.{group}");
    }
    if let Some(subresource) = &names.subresource {
        what = format!("{what}/{subresource}");
    }
    let mut flags = match &names.url {
        Some(url) => format!("--verb={} --non-resource-url={}", quote(verb), quote(url)),
        None => format!("--verb={} --resource={}", quote(verb), quote(&what)),
    };
    let has_name = names.url.is_none()
        && (!matches!(verb, "create" | "list" | "watch" | "deletecollection") || names.subresource.is_some());
    if let Some(name) = names.name.as_deref().filter(|_| has_name) {
        flags.push_str(&format!(" --resource-name={}", quote(name)));
    }
    let (subject, remark) = subject(names);
    let name = quote(&binding_name(names, verb));
    let namespace = names.namespace.as_deref().filter(|_| names.url.is_none());
    let mut lines = match namespace {
        Some(namespace) => {
            let namespace = quote(namespace);
            vec![
                format!("kubectl create role {name} -n {namespace} {flags}"),
                format!("kubectl create rolebinding {name} -n {namespace} --role={name} {subject}{remark}"),
            ]
        }
        None => vec![
            format!("kubectl create clusterrole {name} {flags}"),
            format!("kubectl create clusterrolebinding {name} --clusterrole={name} {subject}{remark}"),
        ],
    };
    lines.extend(read_policy(names, verb));
    lines
}

/// A name that says what it allows to whom: two fixes never share one.
fn binding_name(names: &Names, verb: &str) -> String {
    let what = match &names.url {
        Some(url) => url.trim_matches('/').to_owned(),
        None => [names.resource.as_deref(), names.subresource.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("-"),
    };
    let who = names.user.as_deref().unwrap_or("user");
    let who = match Arn::parse(who) {
        Ok(arn) => arn.name().to_owned(),
        Err(_) => who.rsplit(':').next().unwrap_or(who).to_owned(),
    };
    let text = format!("{who}-{verb}-{what}").to_lowercase();
    let plain: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    name.truncate(60);
    name.trim_end_matches('-').to_owned()
}

/// Whom to bind, and a remark behind the command.
fn subject(names: &Names) -> (String, &'static str) {
    let user = names.user.as_deref().unwrap_or("USER");
    match service_account(user) {
        Some((namespace, name)) => (
            format!("--serviceaccount={}", quote(&format!("{namespace}:{name}"))),
            "",
        ),
        // The session changes with each login.
        None if user.contains(":assumed-role/") => (
            "--group=GROUP".to_owned(),
            "   # a group of its access entry or mapping: the user name ends in a session name, which changes",
        ),
        None => (format!("--user={}", quote(user)), ""),
    }
}

/// The access policy that covers a read and nothing but reads.
fn read_policy(names: &Names, verb: &str) -> Option<String> {
    let is_person = names.user.as_deref().is_none_or(|user| !user.starts_with("system:"));
    if !is_person || names.url.is_some() || !matches!(verb, "get" | "list" | "watch") {
        return None;
    }
    let asked = Request {
        verb: verb.to_owned(),
        api_group: names.api_group.clone().unwrap_or_default(),
        resource: names.resource.clone().unwrap_or_default(),
        subresource: names.subresource.clone(),
        namespace: names.namespace.clone(),
        name: names.name.clone(),
        url: None,
    };
    let policy = [
        "AmazonEKSSecretReaderPolicy",
        "AmazonEKSViewPolicy",
        "AmazonEKSAdminViewPolicy",
    ]
    .into_iter()
    .find(|policy| policies::rules_allow(policy, &asked))?;
    let remark = match policy {
        "AmazonEKSAdminViewPolicy" => "   # or this, if it has an access entry: reads everything, Secrets too",
        _ => "   # or this, if it has an access entry; name the namespaces it has now as well",
    };
    Some(associate(names, policy) + remark)
}

/// The right to impersonate exactly what was asked for.
fn impersonate(names: &Names) -> Vec<String> {
    let (Some(resource), Some(name)) = (names.resource.as_deref(), names.name.as_deref()) else {
        return vec![
            "kubectl auth can-i impersonate users   # needed for --as; give it only by name, with --resource-name"
                .to_owned(),
        ];
    };
    if name.starts_with("system:") && resource != "serviceaccounts" {
        return vec![format!(
            "do not grant it: acting as {} is a way to administrator power",
            quote(name)
        )];
    }
    let role = quote(&binding_name(names, "impersonate"));
    let (subject, remark) = subject(names);
    let what = match resource {
        "userextras" | "uids" => format!("{resource}.authentication.k8s.io"),
        resource => resource.to_owned(),
    };
    vec![
        format!(
            "kubectl create clusterrole {role} --verb=impersonate --resource={} --resource-name={}   # only if it is meant to: whoever has this acts with that identity's permissions",
            quote(&what),
            quote(name)
        ),
        format!("kubectl create clusterrolebinding {role} --clusterrole={role} {subject}{remark}"),
    ]
}

fn account(names: &Names) -> Vec<String> {
    [
        "kubectl get serviceaccounts -n {namespace}   # is it there under another name? then correct serviceAccountName in the pod",
        "kubectl create serviceaccount {object} -n {namespace}",
    ]
    .map(|line| with_names(line, names))
    .to_vec()
}

/// What the caller is to IAM, with its name.
enum Kind {
    Role(String),
    User(String),
    Sso(String),
    Root,
    Unknown,
}

fn kind(names: &Names) -> Kind {
    let text = names.principal.as_deref().unwrap_or_default();
    match Arn::parse(text) {
        Ok(arn) => match arn.kind() {
            PrincipalKind::User => Kind::User(arn.name().to_owned()),
            PrincipalKind::Root => Kind::Root,
            PrincipalKind::Role | PrincipalKind::AssumedRole if is_sso(arn.name()) => {
                Kind::Sso(arn.sso_permission_set().unwrap_or(arn.name()).to_owned())
            }
            PrincipalKind::Role | PrincipalKind::AssumedRole => Kind::Role(arn.name().to_owned()),
            _ => Kind::Unknown,
        },
        // AWS leaves the ARN out for some services: then it names the role.
        Err(_) if !text.is_empty() => Kind::Role(text.to_owned()),
        Err(_) => Kind::Unknown,
    }
}

/// The statement that allows the refused action, for whatever kind the caller is.
fn grant(names: &Names) -> Vec<String> {
    let (action, resource) = match (&names.action, &names.aws_resource) {
        (Some(action), resource) => (action.as_str(), resource.as_deref().unwrap_or("*")),
        (None, _) => ("eks:DescribeCluster", "*"),
    };
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    let writes = !["Get", "List", "Describe", "PassRole", "Simulate"]
        .iter()
        .any(|verb| name.starts_with(verb));
    if action.starts_with("iam:") && writes {
        return vec![format!(
            "ask an administrator of the account to do it: {} changes who has access, so it is not granted by default",
            quote(action)
        )];
    }
    // In the order in which people read and write it.
    let value = |text: &str| serde_json::Value::from(text);
    let statement = format!(
        r#"{{"Effect":"Allow","Action":{},"Resource":{}}}"#,
        value(action),
        value(resource)
    );
    let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let policy = quote(&format!("allow-{}", action.replace(':', "-").to_lowercase()));
    let document = quote(&document);
    let remark = match action {
        "eks:CreateAccessEntry" | "eks:AssociateAccessPolicy" | "eks:UpdateAccessEntry" | "eks:UpdateClusterConfig" => {
            "   # only if it is meant to: whoever has this can make anybody a cluster administrator"
        }
        _ => "",
    };
    match kind(names) {
        Kind::User(name) => vec![format!(
            "aws iam put-user-policy --user-name {} --policy-name {policy} --policy-document {document}{remark}",
            quote(&name)
        )],
        Kind::Role(name) => vec![format!(
            "aws iam put-role-policy --role-name {} --policy-name {policy} --policy-document {document}{remark}",
            quote(&name)
        )],
        Kind::Sso(set) => vec![format!(
            "add to the permission set {} in IAM Identity Center (the role itself cannot be changed): {statement}{remark}",
            quote(&set)
        )],
        Kind::Root => vec![
            "use another principal: the root user needs no policy, so an SCP or a resource policy refuses here"
                .to_owned(),
        ],
        Kind::Unknown => vec![
            "aws sts get-caller-identity   # the role or user that needs it".to_owned(),
            format!(
                "aws iam put-role-policy --role-name ROLE --policy-name {policy} --policy-document {document}{remark}"
            ),
        ],
    }
}

fn simulate(names: &Names) -> Vec<String> {
    let action = names.action.as_deref().map_or("ACTION".to_owned(), quote);
    let resource = names.aws_resource.as_deref().map_or("'*'".to_owned(), quote);
    let source = match kind(names) {
        Kind::Sso(_) => "PRINCIPAL_ARN".to_owned(),
        _ => access_entry_arn(names).map_or("PRINCIPAL_ARN".to_owned(), |arn| quote(&arn)),
    };
    let path = show_path(names).map(|command| command.replace("in the access entry", "below"));
    let simulate = format!(
        "aws iam simulate-principal-policy --policy-source-arn {source} --action-names {action} --resource-arns {resource}   # explicitDeny or implicitDeny"
    );
    path.into_iter().chain([simulate]).collect()
}

fn policies_of(names: &Names) -> Vec<String> {
    match kind(names) {
        Kind::User(name) => vec![
            format!("aws iam list-attached-user-policies --user-name {}", quote(&name)),
            format!("aws iam list-user-policies --user-name {}", quote(&name)),
        ],
        Kind::Role(name) => vec![
            format!("aws iam list-attached-role-policies --role-name {}", quote(&name)),
            format!("aws iam list-role-policies --role-name {}", quote(&name)),
        ],
        Kind::Sso(set) => vec![format!(
            "look for the Deny in the permission set {} in IAM Identity Center",
            quote(&set)
        )],
        Kind::Root | Kind::Unknown => {
            vec!["aws sts get-caller-identity   # then list the policies of that role or user".to_owned()]
        }
    }
}

fn boundary(names: &Names) -> Vec<String> {
    match kind(names) {
        Kind::User(name) => vec![format!(
            "aws iam get-user --user-name {} --query User.PermissionsBoundary",
            quote(&name)
        )],
        Kind::Role(name) => vec![format!(
            "aws iam get-role --role-name {} --query Role.PermissionsBoundary",
            quote(&name)
        )],
        Kind::Sso(set) => vec![format!(
            "look at the permissions boundary of the permission set {} in IAM Identity Center",
            quote(&set)
        )],
        Kind::Root | Kind::Unknown => {
            vec!["aws iam get-role --role-name ROLE --query Role.PermissionsBoundary".to_owned()]
        }
    }
}

/// The trust policy of the role that was to be assumed.
fn trust(names: &Names) -> Vec<String> {
    let role = role_name(names);
    if let Some(role) = role.as_deref().filter(|role| is_sso(role)) {
        return vec![format!(
            "assign the permission set {} to the user in IAM Identity Center: nobody else may assume its role",
            quote(eksplain_parse::arn::sso_permission_set(role).unwrap_or(role))
        )];
    }
    let role = role.map_or("ROLE".to_owned(), |role| quote(&role));
    let action = names
        .action
        .as_deref()
        .filter(|action| action.starts_with("sts:"))
        .unwrap_or("sts:AssumeRole");
    let principal = access_entry_arn(names).unwrap_or_else(|| "PRINCIPAL_ARN".to_owned());
    let statement = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":{}}},"Action":{}}}"#,
        serde_json::Value::from(principal),
        serde_json::Value::from(action)
    );
    vec![
        format!("aws iam get-role --role-name {role} --query Role.AssumeRolePolicyDocument > trust.json"),
        format!("add to the Statement list in trust.json, and keep what is there: {statement}"),
        format!("aws iam update-assume-role-policy --role-name {role} --policy-document file://trust.json"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_contains_is_neither_a_token_nor_a_shell_word() {
        let names = Names {
            cluster: Some("{region}; rm -rf /".to_owned()),
            ..Names::default()
        };
        assert_eq!(
            with_names("--name {cluster} --region {region} {\"a\":1}", &names),
            "--name '{region}; rm -rf /' --region REGION {\"a\":1}"
        );
    }
}
