//! The estate of `eksplain demo`: two accounts, three weeks, one cluster that nobody can get into any more.

use super::plan::{Estate, WINDOW_START};
use super::world::{
    Ask, CLUSTER_ADMIN_POLICY, ClusterName, Kind, MASTERS, Mapping, Mode, Op, Principal, Subject, Time, World,
};

const DAY: Time = 86_400;
const HOUR: Time = 3_600;
/// The moment of the demo's questions.
pub(crate) const AT: Time = WINDOW_START + 30 * DAY;
pub(crate) const SEED: u64 = 20_261_124;

const MARIA: usize = 0;
const ONCALL: usize = 1;
const DEPLOYER: usize = 2;
const NODE: usize = 3;
const PLATFORM: usize = 4;
const AUDITOR: usize = 5;
const BREAKGLASS: usize = 6;
const OPS: usize = 7;
const LENA: usize = 8;
const PROD: usize = 0;
const SHOP: usize = 1;

fn principal(kind: Kind, account: &str, path: &str, name: &str, id: &str) -> Principal {
    Principal {
        kind,
        account: account.into(),
        path: path.into(),
        name: name.into(),
        unique_ids: vec![id.into()],
    }
}

fn ask(verb: &'static str, resource: &'static str, namespace: Option<&'static str>) -> Ask {
    Ask {
        verb,
        api_group: "",
        resource,
        namespace,
    }
}

pub(crate) fn demo() -> Estate {
    let (one, two) = ("111122223333", "444455556666");
    let principals = vec![
        principal(Kind::User, one, "/", "maria", "AIDAEXAMPLEMARIA00001"),
        principal(Kind::Role, one, "/", "oncall", "AROAEXAMPLEONCALL0001"),
        principal(Kind::Role, one, "/ci/", "deployer", "AROAEXAMPLEDEPLOYER01"),
        principal(Kind::Role, one, "/", "prod-nodes", "AROAEXAMPLENODES00001"),
        principal(
            Kind::Sso,
            two,
            "/aws-reserved/sso.amazonaws.com/eu-west-1/",
            "AWSReservedSSO_PlatformAdmin_0123456789abcdef",
            "AROAEXAMPLEPLATFORM01",
        ),
        principal(Kind::Role, two, "/", "auditor", "AROAEXAMPLEAUDITOR001"),
        principal(Kind::Role, two, "/", "break-glass", "AROAEXAMPLEBREAKGLA01"),
        principal(Kind::Role, two, "/", "ops", "AROAEXAMPLEOPS0000001"),
        principal(Kind::User, two, "/", "lena", "AIDAEXAMPLELENA000001"),
    ];
    let names = vec![
        ClusterName {
            account: one.into(),
            region: "us-west-2".into(),
            name: "prod".into(),
        },
        ClusterName {
            account: two.into(),
            region: "eu-west-1".into(),
            name: "shop".into(),
        },
    ];
    let start = World::new(principals, names);
    let arn = |who: usize| start.principals[who].matching();
    let mapping = |arn: String, username: &str, groups: &[&str]| Mapping {
        in_users: arn.contains(":user/"),
        arn,
        username: username.into(),
        groups: groups.iter().map(|group| (*group).into()).collect(),
    };
    let nodes = mapping(
        arn(NODE),
        "system:node:{{EC2PrivateDNSName}}",
        &["system:bootstrappers", "system:nodes"],
    );
    let oncall = mapping(arn(ONCALL), "oncall", &[MASTERS]);
    // The path in the ARN is what makes it miss.
    let deployer = mapping(start.principals[DEPLOYER].arn(), "deployer", &["deployers"]);
    let ops = mapping(arn(OPS), "ops", &["ops"]);
    let request = |cluster, by, session: &str, ask| Op::Request {
        cluster,
        by,
        session: session.into(),
        ask,
    };
    let bind = |name: &str, role, namespace, subject| Op::Bind {
        cluster: SHOP,
        by: PLATFORM,
        name: name.into(),
        role,
        namespace,
        subject,
    };
    let plan = vec![
        (
            0,
            9,
            Op::CreateCluster {
                cluster: PROD,
                by: MARIA,
                session: String::new(),
                mode: Mode::ConfigMap,
                mode_said: false,
                bootstrap: None,
            },
        ),
        (
            0,
            10,
            Op::CreateAwsAuth {
                cluster: PROD,
                by: MARIA,
                mappings: vec![nodes.clone()],
            },
        ),
        (
            0,
            11,
            Op::WriteAwsAuth {
                cluster: PROD,
                by: MARIA,
                mappings: vec![nodes.clone(), oncall],
                broken_roles: false,
            },
        ),
        (
            1,
            9,
            Op::CreateCluster {
                cluster: SHOP,
                by: PLATFORM,
                session: "dana@example.com".into(),
                mode: Mode::Both,
                mode_said: true,
                bootstrap: None,
            },
        ),
        (
            1,
            10,
            Op::WriteAwsAuth {
                cluster: SHOP,
                by: PLATFORM,
                mappings: vec![ops],
                broken_roles: false,
            },
        ),
        (
            1,
            11,
            Op::CreateEntry {
                cluster: SHOP,
                by: PLATFORM,
                principal: AUDITOR,
                groups: vec![],
            },
        ),
        (
            1,
            12,
            Op::Associate {
                cluster: SHOP,
                by: PLATFORM,
                principal: AUDITOR,
                policy: "AmazonEKSViewPolicy",
                namespaces: vec!["dev".into()],
            },
        ),
        (
            1,
            13,
            Op::CreateEntry {
                cluster: SHOP,
                by: PLATFORM,
                principal: BREAKGLASS,
                groups: vec![],
            },
        ),
        (
            1,
            14,
            Op::Associate {
                cluster: SHOP,
                by: PLATFORM,
                principal: BREAKGLASS,
                policy: CLUSTER_ADMIN_POLICY,
                namespaces: vec![],
            },
        ),
        (
            2,
            9,
            bind("ops-admin", "cluster-admin", None, Subject::Group("ops".into())),
        ),
        (
            2,
            10,
            bind(
                "argo-admin",
                "cluster-admin",
                None,
                Subject::ServiceAccount("argocd".into(), "argocd-server".into()),
            ),
        ),
        (
            3,
            9,
            request(PROD, ONCALL, "sam@example.com", ask("list", "pods", Some("dev"))),
        ),
        (4, 9, request(SHOP, OPS, "kim@example.com", ask("list", "nodes", None))),
        (
            10,
            9,
            Op::WriteAwsAuth {
                cluster: PROD,
                by: MARIA,
                mappings: vec![nodes, deployer],
                broken_roles: false,
            },
        ),
        (
            12,
            9,
            request(SHOP, AUDITOR, "lee@example.com", ask("list", "pods", Some("prod"))),
        ),
        (
            12,
            10,
            request(SHOP, AUDITOR, "lee@example.com", ask("list", "secrets", Some("dev"))),
        ),
        (
            13,
            9,
            Op::WorkloadRequest {
                cluster: SHOP,
                namespace: "dev",
                name: "worker",
                ask: ask("list", "secrets", Some("dev")),
            },
        ),
        (
            13,
            10,
            Op::AnonymousRequest {
                cluster: SHOP,
                ask: ask("list", "pods", Some("dev")),
            },
        ),
        (
            14,
            9,
            Op::Admission {
                cluster: SHOP,
                by: OPS,
                session: "kim@example.com".into(),
                ask: ask("create", "pods", Some("dev")),
                reason: "admission.pod-security",
            },
        ),
        (
            15,
            9,
            request(PROD, DEPLOYER, "ci-4711", ask("create", "pods", Some("dev"))),
        ),
        (
            15,
            10,
            Op::BadToken {
                cluster: PROD,
                reason: "authn.token.expired",
            },
        ),
        (
            16,
            9,
            Op::AwsRefusal {
                by: LENA,
                session: String::new(),
                region: "eu-west-1".into(),
                cluster: Some(SHOP),
                reason: "iam.identity-policy.missing",
            },
        ),
        (
            16,
            10,
            Op::AwsRefusal {
                by: LENA,
                session: String::new(),
                region: "eu-west-1".into(),
                cluster: None,
                reason: "sts.trust-policy",
            },
        ),
        (
            20,
            9,
            Op::DeletePrincipal {
                principal: MARIA,
                by: ONCALL,
            },
        ),
        (
            21,
            9,
            request(PROD, DEPLOYER, "ci-4719", ask("create", "pods", Some("dev"))),
        ),
    ];
    let plan = plan
        .into_iter()
        .map(|(day, hour, op)| (WINDOW_START + day * DAY + hour * HOUR, op))
        .collect();
    Estate { start, plan }
}
