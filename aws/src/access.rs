//! Who calls, and where: credentials, accounts, regions, endpoints.
//!
//! Calls are read-only and made with the caller's own credential chain (environment, profile, SSO, web identity, container,
//! instance). Other accounts are entered by assuming a role; its sessions are named `eksplain`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use eksplain_parse::region::partition_of;
use futures::StreamExt;

use crate::fault::{Fault, Kind, chain};
use crate::quota::{Api, Meter, Quotas};
use crate::regions;
use crate::scope::Scope;

/// Name of role sessions, as it stands in the accounts' own logs.
const SESSION: &str = "eksplain";
/// An answer that takes longer is asked for again.
const PATIENCE: Duration = Duration::from_secs(20);

/// For tests: how many times AWS's quotas an emulator allows. Without `--endpoint-url` it says nothing.
const EMULATOR_RATE: &str = "EKSPLAIN_EMULATOR_RATE";

/// Which accounts to enter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Accounts {
    /// The caller's own.
    #[default]
    Own,
    /// These, by their ids.
    Named(Vec<String>),
    /// All active accounts of the organization.
    Organization,
}

/// Which regions to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Regions {
    /// The profile's.
    #[default]
    Own,
    /// These.
    Named(Vec<String>),
    /// All that are enabled for the account.
    All,
}

/// How to reach AWS.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Profile of the shared configuration files.
    pub profile: Option<String>,
    /// Region instead of the profile's.
    pub region: Option<String>,
    /// Endpoint of every service, for emulators.
    pub endpoint_url: Option<String>,
    /// Accounts.
    pub accounts: Accounts,
    /// Regions.
    pub regions: Regions,
    /// Name of the role to assume in each account, or its ARN.
    pub assume_role: Option<String>,
    /// External id for it.
    pub external_id: Option<String>,
    /// Maximum requests per second, below the quota.
    pub max_rate: Option<f64>,
    /// Rather a part soon than all late: what fails is tried again a few times only.
    pub is_hurried: bool,
}

/// The way to AWS of one run.
pub struct Aws {
    pub(crate) settings: Settings,
    pub(crate) quotas: Arc<Quotas>,
    /// The caller's own account and credentials.
    pub(crate) own: Account,
}

/// An account that can be called.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id; unknown where STS does not answer.
    pub id: Option<String>,
    /// Who the calls are made as.
    pub caller: Option<String>,
    pub(crate) config: SdkConfig,
}

impl Aws {
    /// Finds credentials and says who the caller is.
    ///
    /// # Errors
    /// Where there are no credentials, or no region.
    pub async fn connect(settings: Settings) -> Result<Self, Fault> {
        let http = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(PATIENCE)
            .build();
        let mut loader = aws_config::from_env()
            .http_client(http)
            // Each attempt is paced and counted by `Quotas`.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(url) = &settings.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let mut config = loader.load().await;
        if config.region().is_none() {
            let named = match &settings.regions {
                Regions::Named(names) => names.first().cloned(),
                // Where the accounts' global services live, whatever else is asked.
                Regions::All => Some("us-east-1".to_owned()),
                Regions::Own => None,
            };
            let region = named.ok_or_else(|| {
                Fault::other(
                    "",
                    "no region is set",
                    "name one with --regions or --region, or set AWS_REGION, or put region into the profile",
                )
            })?;
            config = config.into_builder().region(Region::new(region)).build();
        }
        let factor = settings
            .endpoint_url
            .as_ref()
            .and_then(|_| std::env::var(EMULATOR_RATE).ok()?.parse().ok());
        let quotas = Arc::new(Quotas::new(
            settings.max_rate,
            factor.unwrap_or(1.0),
            settings.is_hurried,
        ));
        let own = Self::identify(&quotas, config).await?;
        Ok(Self { settings, quotas, own })
    }

    /// What was asked of AWS so far.
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.quotas.meter)
    }

    /// The caller's own account.
    pub fn own(&self) -> &Account {
        &self.own
    }

    async fn identify(quotas: &Quotas, config: SdkConfig) -> Result<Account, Fault> {
        if let Some(provider) = config.credentials_provider() {
            provider.provide_credentials().await.map_err(|error| Fault {
                kind: Kind::NoCredentials,
                ..Fault::other("sts:GetCallerIdentity", "no credentials", chain(&error))
            })?;
        }
        let sts = aws_sdk_sts::Client::new(&config);
        let region = region_of(&config);
        let answer = quotas
            .call((None, &region, Api::Account), async || {
                let answer = sts.get_caller_identity().send().await;
                answer.map_err(|error| Fault::of("sts:GetCallerIdentity", error))
            })
            .await;
        match answer {
            Ok(identity) => Ok(Account {
                id: identity.account().map(str::to_owned),
                caller: identity.arn().map(str::to_owned),
                config,
            }),
            Err(fault)
                if matches!(
                    fault.kind,
                    Kind::NoCredentials | Kind::Expired | Kind::Clock | Kind::Unknown
                ) =>
            {
                Err(fault)
            }
            // The other services may answer all the same, and their records name the account.
            Err(_) => Ok(Account {
                id: None,
                caller: None,
                config,
            }),
        }
    }

    /// The accounts asked for; those that cannot be entered are scopes.
    pub async fn accounts(&self, source: &'static str) -> (Vec<Account>, Vec<Scope>) {
        let ids = match &self.settings.accounts {
            Accounts::Own if self.settings.assume_role.is_none() => return (vec![self.own.clone()], Vec::new()),
            Accounts::Own => self.own.id.clone().into_iter().collect(),
            Accounts::Named(ids) => ids.clone(),
            Accounts::Organization => match self.organization().await {
                Ok(ids) => ids,
                Err(fault) => {
                    let scope = Scope::new(self.own.id.as_deref(), None, source);
                    return (Vec::new(), vec![scope.part("organization").refused(fault)]);
                }
            },
        };
        let mut found = (Vec::new(), Vec::new());
        let mut entered = futures::stream::iter(ids.into_iter().collect::<BTreeSet<_>>())
            .map(async |id| {
                let answer = self.enter(&id).await;
                (id, answer)
            })
            .buffered(8);
        while let Some((id, answer)) = entered.next().await {
            match answer {
                Ok(account) => found.0.push(account),
                Err(fault) => found.1.push(Scope::new(Some(&id), None, source).refused(fault)),
            }
        }
        found
    }

    async fn enter(&self, id: &str) -> Result<Account, Fault> {
        let Some(role) = &self.settings.assume_role else {
            if self.own.id.as_deref() == Some(id) {
                return Ok(self.own.clone());
            }
            return Err(Fault::other(
                "sts:AssumeRole",
                "no role to enter this account",
                "name it with --assume-role",
            ));
        };
        let partition = partition_of(&region_of(&self.own.config));
        let arn = if role.starts_with("arn:") {
            // One ARN for many accounts stands for the role of that name in each.
            let mut parts: Vec<&str> = role.splitn(6, ':').collect();
            if parts.len() == 6 {
                parts[4] = id;
            }
            parts.join(":")
        } else {
            format!("arn:{partition}:iam::{id}:role/{role}")
        };
        let mut provider = AssumeRoleProvider::builder(&arn)
            .session_name(SESSION)
            .configure(&self.own.config);
        if let Some(external_id) = &self.settings.external_id {
            provider = provider.external_id(external_id);
        }
        let provider = aws_credential_types::provider::SharedCredentialsProvider::new(provider.build().await);
        provider.provide_credentials().await.map_err(|error| {
            let text = chain(&error);
            Fault {
                kind: if text.contains("AccessDenied") {
                    Kind::Denied
                } else {
                    Kind::Other
                },
                ..Fault::other("sts:AssumeRole", format!("{arn} could not be assumed"), text)
            }
        })?;
        let config = self
            .own
            .config
            .clone()
            .into_builder()
            .credentials_provider(provider)
            .build();
        Ok(Account {
            id: Some(id.to_owned()),
            caller: Some(arn),
            config,
        })
    }

    async fn organization(&self) -> Result<Vec<String>, Fault> {
        let client = aws_sdk_organizations::Client::new(&self.own.config);
        let region = region_of(&self.own.config);
        let (mut ids, mut token) = (Vec::new(), None);
        loop {
            let page = self
                .quotas
                .call((self.own.id.as_deref(), &region, Api::Account), async || {
                    let answer = client.list_accounts().set_next_token(token.clone()).send().await;
                    answer.map_err(|error| Fault::of("organizations:ListAccounts", error))
                })
                .await?;
            #[allow(deprecated, reason = "older emulators and partitions fill only the status")]
            let is_active = |account: &aws_sdk_organizations::types::Account| {
                account.status().is_none_or(|status| status.as_str() == "ACTIVE")
            };
            ids.extend(
                page.accounts()
                    .iter()
                    .filter(|a| is_active(a))
                    .filter_map(|a| a.id().map(str::to_owned)),
            );
            token = page.next_token().map(str::to_owned);
            if token.is_none() && ids.is_empty() {
                return Err(Fault::other(
                    "organizations:ListAccounts",
                    "the organization lists no active account",
                    "call as its management account or a delegated administrator, or name the accounts",
                ));
            }
            if token.is_none() {
                return Ok(ids);
            }
        }
    }

    /// The regions asked for in an account.
    pub(crate) async fn regions(&self, account: &Account) -> Vec<String> {
        match &self.settings.regions {
            Regions::Own => vec![region_of(&account.config)],
            Regions::Named(names) => names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
            Regions::All => {
                let listed = self.enabled_regions(account).await.unwrap_or_default();
                if listed.is_empty() {
                    let partition = partition_of(&region_of(&account.config));
                    regions::always_enabled(partition)
                        .iter()
                        .map(ToString::to_string)
                        .collect()
                } else {
                    listed
                }
            }
        }
    }

    async fn enabled_regions(&self, account: &Account) -> Result<Vec<String>, Fault> {
        use aws_sdk_account::types::RegionOptStatus;
        let client = aws_sdk_account::Client::new(&account.config);
        let (mut names, mut token) = (BTreeSet::new(), None);
        loop {
            let page = self
                .call(account, &region_of(&account.config), Api::Account, async || {
                    let request = client
                        .list_regions()
                        .region_opt_status_contains(RegionOptStatus::Enabled)
                        .region_opt_status_contains(RegionOptStatus::EnabledByDefault);
                    let answer = request.set_next_token(token.clone()).send().await;
                    answer.map_err(|error| Fault::of("account:ListRegions", error))
                })
                .await?;
            names.extend(
                page.regions()
                    .iter()
                    .filter_map(|region| region.region_name().map(str::to_owned)),
            );
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(names.into_iter().collect());
            }
        }
    }

    /// A call of one account and region at its rate.
    pub(crate) async fn call<T, F>(
        &self,
        account: &Account,
        region: &str,
        api: Api,
        call: impl FnMut() -> F,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        self.quotas.call((account.id.as_deref(), region, api), call).await
    }
}

impl Account {
    /// The account's configuration in a region.
    pub(crate) fn within(&self, region: &str) -> SdkConfig {
        self.config
            .clone()
            .into_builder()
            .region(Region::new(region.to_owned()))
            .build()
    }

    /// The id, or a word that stands for it.
    pub(crate) fn name(&self) -> &str {
        self.id.as_deref().unwrap_or("own")
    }

    /// The region that calls go to when none is named.
    pub fn region(&self) -> String {
        region_of(&self.config)
    }
}

fn region_of(config: &SdkConfig) -> String {
    config
        .region()
        .map_or_else(|| "us-east-1".to_owned(), ToString::to_string)
}
