//! Each reduction with the row type of its facts: one function a `.sql` file.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{PolarsResult, col, lit};

use crate::columns::Frame;
use crate::engine::{Bounds, Engine, Error};
use crate::facts::{
    Activity, AuditWrite, AwsCalls, CallSuccess, CloudTrailCall, CoverageDay, DeniedCall, DeniedLogin, DeniedRequest,
    Facts, Login, Mark, RejectSeen, RequestSuccess, Review, SessionIssued, SessionSeen, Snapshot, StsResponse,
};

/// Links followed back from a session to a person.
const HOPS: usize = 5;

/// Runs every reduction.
pub(crate) fn facts(engine: &Engine, bounds: Bounds) -> Result<Facts, Error> {
    let run = |text: &str| engine.run(text, bounds, |rows| rows);
    let all = || -> PolarsResult<Facts> {
        let calls = calls(&run(include_str!("../sql/calls.sql"))?)?;
        let sessions = sessions(&run(include_str!("../sql/sessions.sql"))?)?;
        let keys = calls.iter().map(|call| &call.access_key_id);
        let keys = keys.chain(sessions.iter().map(|session| &session.access_key_id));
        let mut facts = Facts {
            coverage: coverage(&run(include_str!("../sql/coverage.sql"))?)?,
            writes: writes(&run(include_str!("../sql/writes.sql"))?)?,
            issued: issued(engine, bounds, keys.flatten())?,
            calls,
            aws_calls: aws_calls(&run(include_str!("../sql/aws_calls.sql"))?)?,
            reviews: reviews(&run(include_str!("../sql/reviews.sql"))?)?,
            logins: logins(&run(include_str!("../sql/logins.sql"))?)?,
            sessions,
            activity: activity(&run(include_str!("../sql/activity.sql"))?)?,
            snapshots: snapshots(&run(include_str!("../sql/snapshots.sql"))?)?,
            // Cut records have no time of their own: a bound on it would leave them out.
            rejects: rejects(&engine.run(include_str!("../sql/rejects.sql"), Bounds::default(), |rows| rows)?)?,
            denied_logins: denied_logins(&run(include_str!("../sql/denied_logins.sql"))?)?,
            sts_responses: sts_responses(&run(include_str!("../sql/sts_responses.sql"))?)?,
            denied_requests: denied_requests(&run(include_str!("../sql/denied_requests.sql"))?)?,
            denied_calls: self::calls(&run(include_str!("../sql/denied_calls.sql"))?)?
                .into_iter()
                .map(|call| DeniedCall { call })
                .collect(),
            request_successes: request_successes(&run(include_str!("../sql/request_successes.sql"))?)?,
            call_successes: call_successes(&run(include_str!("../sql/call_successes.sql"))?)?,
        };
        sort(&mut facts);
        Ok(facts)
    };
    all().map_err(|error| Error::Lake {
        what: error.to_string(),
    })
}

/// Engines give rows in any order; facts have one.
fn sort(facts: &mut Facts) {
    fn by_mark<T>(rows: &mut [T], mark: impl Fn(&T) -> &Mark) {
        rows.sort_by(|a, b| mark(a).cmp(mark(b)));
    }
    facts
        .coverage
        .sort_by(|a, b| (&a.table, &a.place, a.day).cmp(&(&b.table, &b.place, b.day)));
    by_mark(&mut facts.writes, |row| &row.at);
    by_mark(&mut facts.calls, |row| &row.at);
    by_mark(&mut facts.issued, |row| &row.call.at);
    by_mark(&mut facts.snapshots, |row| &row.at);
    by_mark(&mut facts.rejects, |row| &row.at);
    by_mark(&mut facts.denied_logins, |row| &row.at);
    by_mark(&mut facts.sts_responses, |row| &row.at);
    by_mark(&mut facts.denied_requests, |row| &row.at);
    by_mark(&mut facts.denied_calls, |row| &row.call.at);
    facts
        .logins
        .sort_by(|a, b| (&a.place, &a.first).cmp(&(&b.place, &b.first)));
    facts.sessions.sort_by(|a, b| {
        (&a.place, &a.canonical_arn, &a.session, &a.first).cmp(&(&b.place, &b.canonical_arn, &b.session, &b.first))
    });
    facts
        .activity
        .sort_by(|a, b| (&a.place, &a.username, &a.first).cmp(&(&b.place, &b.username, &b.first)));
    facts
        .aws_calls
        .sort_by(|a, b| (&a.canonical_arn, &a.first, &a.place).cmp(&(&b.canonical_arn, &b.first, &b.place)));
    facts
        .reviews
        .sort_by(|a, b| (&a.place, &a.username, &a.first).cmp(&(&b.place, &b.username, &b.first)));
    facts
        .request_successes
        .sort_by(|a, b| (&a.place, &a.username, &a.last).cmp(&(&b.place, &b.username, &b.last)));
    facts
        .call_successes
        .sort_by(|a, b| (&a.place, &a.canonical_arn, &a.last).cmp(&(&b.place, &b.canonical_arn, &b.last)));
}

/// Reads a frame row by row: columns by name, then one struct a row.
macro_rules! rows {
    ($frame:ident, $row:ident, { $($column:ident = $method:ident($($name:literal),*);)* } => $value:expr) => {{
        $(let $column = $frame.$method($($name),*)?;)*
        Ok((0..$frame.height()).map(|$row| $value).collect())
    }};
}

fn coverage(frame: &Frame) -> PolarsResult<Vec<CoverageDay>> {
    rows!(frame, row, {
        table = texts("source"); place = places(); day = numbers("day"); first = marks("first_id", "first_ts"); last = marks("last_id", "last_ts");
        records = numbers("records");
    } => CoverageDay {
        table: table.or_empty(row),
        place: place.get(row),
        day: day.get(row).and_then(|day| i32::try_from(day).ok()).unwrap_or_default(),
        first: first.get(row),
        last: last.get(row),
        records: records.count(row),
    })
}

fn writes(frame: &Frame) -> PolarsResult<Vec<AuditWrite>> {
    rows!(frame, row, {
        at = marks("id", "ts"); place = places(); verb = texts("verb"); resource = texts("resource"); api_group = texts("api_group");
        namespace = texts("namespace"); name = texts("name"); username = texts("username"); canonical_arn = texts("canonical_arn");
        session = texts("session"); access_key_id = texts("access_key_id"); request_uri = texts("request_uri");
        request_object = texts("request_object"); response_object = texts("response_object");
    } => AuditWrite {
        at: at.get(row),
        place: place.get(row),
        verb: verb.or_empty(row),
        resource: resource.or_empty(row),
        api_group: api_group.or_empty(row),
        namespace: namespace.get(row),
        name: name.get(row),
        username: username.get(row),
        canonical_arn: canonical_arn.get(row),
        session: session.get(row),
        access_key_id: access_key_id.get(row),
        request_uri: request_uri.get(row),
        request_object: request_object.get(row),
        response_object: response_object.get(row),
    })
}

fn calls(frame: &Frame) -> PolarsResult<Vec<CloudTrailCall>> {
    rows!(frame, row, {
        at = marks("id", "ts"); place = places(); event_id = texts("event_id"); event_source = texts("event_source"); event_name = texts("event_name");
        principal_type = texts("principal_type"); principal_id = texts("principal_id"); arn = texts("arn"); canonical_arn = texts("canonical_arn");
        identity_account = texts("identity_account"); access_key_id = texts("access_key_id"); user_name = texts("user_name");
        session_issuer_arn = texts("session_issuer_arn"); session = texts("session"); source_identity = texts("source_identity");
        invoked_by = texts("invoked_by"); source_ip = texts("source_ip"); user_agent = texts("user_agent"); error_code = texts("error_code");
        error_message = texts("error_message"); shared_event_id = texts("shared_event_id"); request_parameters = texts("request_parameters");
        response_elements = texts("response_elements");
    } => CloudTrailCall {
        at: at.get(row),
        place: place.get(row),
        event_id: event_id.get(row),
        event_source: event_source.or_empty(row),
        event_name: event_name.or_empty(row),
        principal_type: principal_type.get(row),
        principal_id: principal_id.get(row),
        arn: arn.get(row),
        canonical_arn: canonical_arn.get(row),
        identity_account: identity_account.get(row),
        access_key_id: access_key_id.get(row),
        user_name: user_name.get(row),
        session_issuer_arn: session_issuer_arn.get(row),
        session: session.get(row),
        source_identity: source_identity.get(row),
        invoked_by: invoked_by.get(row),
        source_ip: source_ip.get(row),
        user_agent: user_agent.get(row),
        error_code: error_code.get(row),
        error_message: error_message.get(row),
        shared_event_id: shared_event_id.get(row),
        request_parameters: request_parameters.get(row),
        response_elements: response_elements.get(row),
    })
}

/// The STS calls that issued some keys, the keys of their callers, and so on: who is behind a session.
fn issued<'k>(
    engine: &Engine,
    bounds: Bounds,
    keys: impl Iterator<Item = &'k String>,
) -> PolarsResult<Vec<SessionIssued>> {
    let is_temporary = |key: &&str| key.starts_with("ASIA");
    let mut wanted: BTreeSet<&str> = keys.map(String::as_str).filter(is_temporary).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    // What is cut out by its key is a candidate; whoever follows the chain reads the whole response.
    let key = col("response_elements")
        .str()
        .extract(lit(r#""accessKeyId":\s*"(ASIA[A-Z0-9]+)""#), 1);
    let links = engine.run(include_str!("../sql/issued_keys.sql"), bounds, |rows| {
        let rows = rows.with_column(key.alias("issued_key"));
        rows.select([col("id"), col("access_key_id"), col("issued_key")])
            .drop_nulls(None)
    })?;
    let (id, signed_with, issued_key) = (
        links.texts("id")?,
        links.texts("access_key_id")?,
        links.texts("issued_key")?,
    );
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in 0..links.height() {
        by_key.entry(issued_key.or_empty(row)).or_default().push(row);
    }
    let callers: Vec<String> = (0..links.height()).map(|row| signed_with.or_empty(row)).collect();
    let mut found: BTreeSet<usize> = BTreeSet::new();
    for _ in 0..HOPS {
        let rows: Vec<usize> = wanted
            .iter()
            .filter_map(|key| by_key.get(*key))
            .flatten()
            .copied()
            .collect();
        wanted = rows
            .into_iter()
            .filter(|row| found.insert(*row))
            .map(|row| callers[row].as_str())
            .filter(is_temporary)
            .collect();
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = found.into_iter().map(|row| id.or_empty(row)).collect();
    let rows = engine.of_ids(include_str!("../sql/issued.sql"), bounds, &ids)?;
    Ok(self::calls(&rows)?
        .into_iter()
        .map(|call| SessionIssued { call })
        .collect())
}

fn logins(frame: &Frame) -> PolarsResult<Vec<Login>> {
    rows!(frame, row, {
        place = places(); canonical_arn = texts("canonical_arn"); arn = texts("arn"); username = texts("username"); groups = texts("groups_json");
        masters = flags("masters"); uid = texts("uid"); count = numbers("uses"); first = marks("first_id", "first_ts"); last = marks("last_id", "last_ts");
    } => Login {
        place: place.get(row),
        canonical_arn: canonical_arn.get(row),
        arn: arn.get(row),
        username: username.get(row),
        groups: groups.list(row),
        masters: masters.is_true(row),
        uid: uid.get(row),
        count: count.count(row),
        first: first.get(row),
        last: last.get(row),
    })
}

fn sessions(frame: &Frame) -> PolarsResult<Vec<SessionSeen>> {
    rows!(frame, row, {
        place = places(); canonical_arn = texts("canonical_arn"); session = texts("session"); unique_id = texts("unique_id");
        access_key_id = texts("access_key_id"); count = numbers("uses"); first = marks("first_id", "first_ts"); last = marks("last_id", "last_ts");
    } => SessionSeen {
        place: place.get(row),
        canonical_arn: canonical_arn.or_empty(row),
        session: session.get(row),
        // The audit log's uid has the unique id behind its last colon.
        unique_id: unique_id.get(row).map(|id| id.rsplit(':').next().unwrap_or_default().to_owned()),
        access_key_id: access_key_id.get(row),
        count: count.count(row),
        first: first.get(row),
        last: last.get(row),
    })
}

fn activity(frame: &Frame) -> PolarsResult<Vec<Activity>> {
    rows!(frame, row, {
        place = places(); username = texts("username"); uid = texts("uid"); canonical_arn = texts("canonical_arn"); groups = texts("groups_json");
        masters = flags("masters"); impersonated_username = texts("impersonated_username"); impersonated_groups = texts("impersonated_groups_json");
        allowed = flags("allowed"); access_policy_reason = texts("access_policy_reason");
        access_policy_namespace = texts("access_policy_namespace"); count = numbers("uses");
        first = marks("first_id", "first_ts"); last = marks("last_id", "last_ts");
    } => Activity {
        place: place.get(row),
        username: username.get(row),
        uid: uid.get(row),
        canonical_arn: canonical_arn.get(row),
        groups: groups.list(row),
        masters: masters.is_true(row),
        impersonated_username: impersonated_username.get(row),
        impersonated_groups: impersonated_groups.list(row),
        allowed: allowed.is_true(row),
        access_policy_reason: access_policy_reason.get(row),
        access_policy_namespace: access_policy_namespace.get(row),
        count: count.count(row),
        first: first.get(row),
        last: last.get(row),
    })
}

fn aws_calls(frame: &Frame) -> PolarsResult<Vec<AwsCalls>> {
    rows!(frame, row, {
        place = places(); canonical_arn = texts("canonical_arn"); session = texts("session"); event_source = texts("event_source");
        event_name = texts("event_name"); refused = flags("refused"); count = numbers("uses");
        first = marks("first_id", "first_ts"); last = marks("last_id", "last_ts");
    } => AwsCalls {
        place: place.get(row),
        canonical_arn: canonical_arn.or_empty(row),
        session: session.get(row),
        event_source: event_source.or_empty(row),
        event_name: event_name.get(row),
        refused: refused.is_true(row),
        count: count.count(row),
        first: first.get(row),
        last: last.get(row),
    })
}

fn reviews(frame: &Frame) -> PolarsResult<Vec<Review>> {
    rows!(frame, row, {
        place = places(); username = texts("username"); canonical_arn = texts("canonical_arn"); groups = texts("groups_json");
        request_object = texts("request_object"); allowed = flags("allowed"); count = numbers("uses");
        first = marks("first_id", "first_ts"); last = marks("last_id", "last_ts");
    } => Review {
        place: place.get(row),
        username: username.get(row),
        canonical_arn: canonical_arn.get(row),
        groups: groups.list(row),
        request_object: request_object.or_empty(row),
        allowed: allowed.is_true(row),
        count: count.count(row),
        first: first.get(row),
        last: last.get(row),
    })
}

fn snapshots(frame: &Frame) -> PolarsResult<Vec<Snapshot>> {
    rows!(frame, row, {
        at = marks("id", "ts"); place = places(); kind = texts("kind"); name = texts("name"); body = texts("body");
    } => Snapshot { at: at.get(row), place: place.get(row), kind: kind.or_empty(row), name: name.get(row), body: body.or_empty(row) })
}

fn rejects(frame: &Frame) -> PolarsResult<Vec<RejectSeen>> {
    rows!(frame, row, {
        at = marks("id", "ts"); place = places(); kind = texts("kind"); text = texts("text"); source_uri = texts("source_uri");
    } => RejectSeen { at: at.get(row), source_uri: source_uri.or_empty(row), place: place.get(row), kind: kind.or_empty(row), text: text.or_empty(row) })
}

fn denied_logins(frame: &Frame) -> PolarsResult<Vec<DeniedLogin>> {
    rows!(frame, row, {
        at = marks("id", "ts"); place = places(); stream = texts("stream"); arn = texts("arn"); canonical_arn = texts("canonical_arn");
        error = texts("error"); client = texts("client"); session = texts("session");
    } => DeniedLogin {
        at: at.get(row),
        place: place.get(row),
        stream: stream.get(row),
        arn: arn.get(row),
        canonical_arn: canonical_arn.get(row),
        error: error.get(row),
        client: client.get(row),
        session: session.get(row),
    })
}

fn sts_responses(frame: &Frame) -> PolarsResult<Vec<StsResponse>> {
    rows!(frame, row, {
        at = marks("id", "ts"); place = places(); stream = texts("stream"); canonical_arn = texts("canonical_arn"); session = texts("session");
        user_id = texts("user_id"); access_key_id = texts("access_key_id"); client = texts("client");
    } => StsResponse {
        at: at.get(row),
        place: place.get(row),
        stream: stream.get(row),
        canonical_arn: canonical_arn.get(row),
        session: session.get(row),
        user_id: user_id.get(row),
        access_key_id: access_key_id.get(row),
        client: client.get(row),
    })
}

fn denied_requests(frame: &Frame) -> PolarsResult<Vec<DeniedRequest>> {
    rows!(frame, row, {
        at = marks("id", "ts"); place = places(); audit_id = texts("audit_id"); stage = texts("stage"); username = texts("username"); uid = texts("uid");
        groups = texts("groups_json"); canonical_arn = texts("canonical_arn"); session = texts("session"); access_key_id = texts("access_key_id");
        impersonated_username = texts("impersonated_username"); impersonated_groups = texts("impersonated_groups_json"); source_ips = lists("source_ips");
        user_agent = texts("user_agent"); verb = texts("verb"); request_uri = texts("request_uri"); api_group = texts("api_group");
        resource = texts("resource"); subresource = texts("subresource"); namespace = texts("namespace"); name = texts("name"); code = numbers("code");
        status_reason = texts("status_reason"); status_message = texts("status_message"); decision = texts("decision");
        decision_reason = texts("decision_reason");
    } => DeniedRequest {
        at: at.get(row),
        place: place.get(row),
        audit_id: audit_id.get(row),
        stage: stage.get(row),
        username: username.get(row),
        uid: uid.get(row),
        groups: groups.list(row),
        canonical_arn: canonical_arn.get(row),
        session: session.get(row),
        access_key_id: access_key_id.get(row),
        impersonated_username: impersonated_username.get(row),
        impersonated_groups: impersonated_groups.list(row),
        source_ips: source_ips[row].clone(),
        user_agent: user_agent.get(row),
        verb: verb.get(row),
        request_uri: request_uri.get(row),
        api_group: api_group.get(row),
        resource: resource.get(row),
        subresource: subresource.get(row),
        namespace: namespace.get(row),
        name: name.get(row),
        code: code.get(row).and_then(|code| i32::try_from(code).ok()).unwrap_or_default(),
        status_reason: status_reason.get(row),
        status_message: status_message.get(row),
        decision: decision.get(row),
        decision_reason: decision_reason.get(row),
    })
}

fn request_successes(frame: &Frame) -> PolarsResult<Vec<RequestSuccess>> {
    rows!(frame, row, {
        place = places(); username = texts("username"); canonical_arn = texts("canonical_arn"); verb = texts("verb"); api_group = texts("api_group");
        resource = texts("resource"); subresource = texts("subresource"); namespace = texts("namespace"); last = marks("last_id", "last_ts");
    } => RequestSuccess {
        place: place.get(row),
        username: username.get(row),
        canonical_arn: canonical_arn.get(row),
        verb: verb.get(row),
        api_group: api_group.get(row),
        resource: resource.get(row),
        subresource: subresource.get(row),
        namespace: namespace.get(row),
        last: last.get(row),
    })
}

fn call_successes(frame: &Frame) -> PolarsResult<Vec<CallSuccess>> {
    rows!(frame, row, {
        place = places(); canonical_arn = texts("canonical_arn"); event_source = texts("event_source"); event_name = texts("event_name");
        request_parameters = texts("request_parameters"); last = marks("last_id", "last_ts");
    } => CallSuccess {
        place: place.get(row),
        canonical_arn: canonical_arn.get(row),
        event_source: event_source.or_empty(row),
        event_name: event_name.or_empty(row),
        request_parameters: request_parameters.get(row),
        last: last.get(row),
    })
}
