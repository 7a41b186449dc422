//! From a pasted text to the statements in it, decoration removed.
//!
//! What a terminal, a log library, a journal, a CI job or a provider puts around a message is taken off by its own form at the
//! beginning of a line; JSON, klog and `key=value` lines are read by parsers, one layer of quoting undone each. Lines that a narrow
//! box wrapped are joined again. Nothing is searched for in what a caller may have chosen.

use std::borrow::Cow;
use std::sync::LazyLock;

use eksplain_parse::authenticator::{Kind, parse_line};
use regex::Regex;
use serde_json::Value;

use super::quoted::{self, unescaped_once};

/// Only so many bytes at the end of a text are read, and so many statements in them: a message is shorter.
const LONGEST: usize = 256 * 1024;
const MOST: usize = 400;

/// One message, in the form that its carrier gave it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Statement {
    /// A sentence, on one line. `lines` are those that it was joined from, where there were several.
    Plain { text: String, lines: Vec<String> },
    /// A refused login of the authenticator: its `error`, and the `arn` where the line has one.
    Login { error: String, arn: Option<String> },
    /// A CloudTrail event.
    Call(Box<Value>),
    /// An audit event.
    Audit(Box<Value>),
    /// A `Status` of the Kubernetes API.
    Status {
        message: String,
        code: Option<i32>,
        reason: Option<String>,
    },
}

/// Everything that the text says, in its order, each thing once.
pub(super) fn statements(text: &str) -> Vec<Statement> {
    let text = clean(text);
    let mut reader = Reader::default();
    reader.read(&text);
    let mut once: Vec<Statement> = Vec::new();
    // A repeated line counts where it stands last.
    for statement in reader.found.into_iter().rev().take(MOST) {
        if !once.contains(&statement) {
            once.push(statement);
        }
    }
    once.reverse();
    once
}

/// The text without colours, carriage returns, invisible characters and typographic quotes. Dashes stay: `—-name` is a cause.
fn clean(text: &str) -> String {
    static ESCAPES: LazyLock<Regex> =
        LazyLock::new(|| regex(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])"));
    // The last line decides.
    let start = (text.len().saturating_sub(LONGEST)..text.len()).find(|at| text.is_char_boundary(*at));
    let text = ESCAPES.replace_all(&text[start.unwrap_or(0)..], "");
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2018}' | '\u{2019}' => cleaned.push('\''),
            '\u{201c}' | '\u{201d}' => cleaned.push('"'),
            '\n' | '\t' => cleaned.push(c),
            '\r' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}' => {}
            c if c.is_control() => {}
            c if c.is_whitespace() => cleaned.push(' '),
            c => cleaned.push(c),
        }
    }
    cleaned
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test compiles every pattern")
}

#[derive(Default)]
struct Reader {
    found: Vec<Statement>,
    /// Lines that may belong together.
    open: Vec<String>,
}

impl Reader {
    fn read(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let used = self.json_from(rest);
            match used {
                Some(used) => rest = &rest[used..],
                None => {
                    self.line(line);
                    rest = after;
                }
            }
        }
        self.close();
    }

    /// Reads an object or list that begins on this line, however many lines it has; gives how much of the text it took.
    fn json_from(&mut self, text: &str) -> Option<usize> {
        let line = text.split('\n').next().unwrap_or_default();
        // `HTTP response body: {…}`: what stands before is a statement of its own. A pair before it makes it part of a log line.
        let stripped = without_prefixes(line);
        let is_log_line = ["time=", "level=", "msg=", "ts="]
            .iter()
            .any(|key| stripped.starts_with(key));
        let start = line.find(['{', '['])?;
        if is_log_line || is_klog(line) {
            return None;
        }
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        let value = values.next()?.ok()?;
        let end = start + values.byte_offset();
        let is_alone = line[..start].trim().is_empty();
        let statements = of_json(&value, is_alone);
        if statements.is_empty() {
            return None;
        }
        if !is_alone {
            self.line(&line[..start]);
        }
        self.close();
        self.found.extend(statements);
        Some(end)
    }

    fn line(&mut self, line: &str) {
        static NOISE: LazyLock<Regex> = LazyLock::new(|| {
            regex(
                r#"^\s*(at [\w$.<>/]+ ?\(.*\)|at .*:\d+:\d+\)?|\.\.\. \d+ (more|common frames omitted)|File ".*", line \d+.*|[╷╵]|\d+: .*\{|goroutine \d+ .*)$"#,
            )
        });
        static BEGINS: LazyLock<Regex> = LazyLock::new(|| {
            regex(
                r"(?i)^\W{0,3}(([\w./-]+( \w+)?: )?(error|warning|fatal|failed|unable|could ?n.t|cannot|exception|an error occurred|the connection)\b|traceback|caused by|reason:|message:|status:|http response|http/\d|you must be|time=|with (module|\w+\.)|on \S+ line \d|\w+(\.\w+)+(error|exception)\b)",
            )
        });
        let is_boxed = line.trim_start().starts_with(['│', '┃']);
        let is_stamped = Stamp::strip(line).is_some();
        let line = without_prefixes(line);
        let line = line.trim();
        if line.is_empty() || NOISE.is_match(line) {
            return self.close();
        }
        if is_klog(line) {
            self.close();
            return self.klog(line);
        }
        if ["time=", "level=", "msg=", "ts=", "err=", "error="]
            .iter()
            .any(|key| line.starts_with(key))
        {
            self.close();
            return self.pairs(line);
        }
        // A line within a box goes on with the sentence; elsewhere only one that does not look like a beginning.
        let begins =
            is_stamped || (!is_boxed && BEGINS.is_match(line)) || line.starts_with("with ") || line.starts_with("on .");
        if begins {
            self.close();
        }
        self.open.push(line.to_owned());
    }

    /// Ends a sentence.
    fn close(&mut self) {
        let lines = std::mem::take(&mut self.open);
        if !lines.is_empty() {
            let text = lines.join(" ");
            self.plain(&text, if lines.len() > 1 { lines } else { Vec::new() });
        }
    }

    fn plain(&mut self, text: &str, lines: Vec<String>) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut text = unescaped_once(&text).into_owned();
        if quoted::spans(&text) == [(1, text.len().saturating_sub(1))] {
            text = text[1..text.len() - 1].to_owned();
        }
        if !text.is_empty() {
            self.found.push(Statement::Plain { text, lines });
        }
    }

    /// `E0606 19:33:03.828406 3214 file.go:96] "message" err="…" key="…"`, or a plain sentence behind the bracket.
    fn klog(&mut self, line: &str) {
        let message = line.split_once("] ").map_or(line, |(_, message)| message);
        match message.starts_with('"') {
            true => self.pairs(&format!("msg={message}")),
            false => self.plain(message, Vec::new()),
        }
    }

    /// `key=value` pairs: the message, then the error that it carries.
    fn pairs(&mut self, line: &str) {
        // A piece of a line that begins with its error.
        let whole = match line.starts_with("err") {
            true => format!("level=error {line}"),
            false => line.to_owned(),
        };
        let record = parse_line(&whole);
        let mut fields: Vec<(&str, &str)> = record.fields.iter().map(|(key, value)| (&**key, &**value)).collect();
        // A line that was cut is still read as far as it goes.
        if let Some((key, value)) = &record.partial {
            fields.push((key, value));
        }
        let field = |keys: &[&str]| {
            fields
                .iter()
                .find(|(key, _)| keys.contains(key))
                .map(|(_, value)| *value)
        };
        let error = field(&["error", "err"]);
        let is_refusal = record.kind == Kind::AccessDenied || record.msg.as_deref() == Some("access denied");
        if is_refusal || (record.msg.is_none() && line.starts_with("error=")) {
            self.found.push(Statement::Login {
                error: error.unwrap_or_default().to_owned(),
                arn: field(&["arn"]).map(str::to_owned),
            });
            return;
        }
        let message = record.msg.as_deref().unwrap_or_default();
        match error {
            Some(error) if message.is_empty() => self.plain(error, Vec::new()),
            Some(error) => self.plain(&format!("{message}: {error}"), Vec::new()),
            None if message.is_empty() => self.plain(line, Vec::new()),
            None => self.plain(message, Vec::new()),
        }
    }
}

fn is_klog(line: &str) -> bool {
    static KLOG: LazyLock<Regex> = LazyLock::new(|| regex(r"^[EWIF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w./-]+:\d+\] "));
    KLOG.is_match(line)
}

/// What programs put before a message.
struct Stamp;

impl Stamp {
    /// The rest of a line behind one decoration; `None` where it has none.
    fn strip(line: &str) -> Option<&str> {
        static STAMPS: LazyLock<Regex> = LazyLock::new(|| {
            regex(concat!(
                r"^(",
                // journald and syslog
                r"[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(\.\d+)? [\w.-]+ [\w./@()-]+(\[\d+\])?: ",
                // ISO times, also in brackets, with a thread or level behind
                r"|\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z| ?[+-]\d\d:?\d\d)?\]?[ :]+",
                // eksctl, npm, pip; levels in brackets or capitals
                r"|\[(✖|✘|ℹ|▶|!|✔|x)\]\s+|(?i:\[(error|fatal|warn(ing)?|info|debug)\]:?)\s+|(ERROR|FATAL|WARN|WARNING|INFO|DEBUG|TRACE)\s+",
                // CI systems, containers, shells
                r"|::error( [^:]*)?::|##\[error\]|(stdout|stderr) [FP] |[\w.-]+-\d+ +\| |> |Caused by: ",
                r")"
            ))
        });
        let found = STAMPS.find(line)?;
        Some(&line[found.end()..])
    }
}

/// A line behind everything that was put before its message.
fn without_prefixes(line: &str) -> Cow<'_, str> {
    let mut rest = line.trim_start().trim_start_matches(['│', '┃', '╷', '╵']).trim_start();
    for _ in 0..6 {
        match Stamp::strip(rest) {
            Some(behind) => rest = behind.trim_start(),
            None => break,
        }
    }
    Cow::Borrowed(rest)
}

/// What a JSON value says; nothing where it is of no form that carries an error. `is_alone` is false where text stands before it.
fn of_json(value: &Value, is_alone: bool) -> Vec<Statement> {
    match value {
        Value::Array(items) if is_alone => items.iter().take(200).flat_map(|item| of_json(item, true)).collect(),
        Value::Object(object) => of_object(value, object, is_alone),
        _ => Vec::new(),
    }
}

fn of_object(value: &Value, object: &serde_json::Map<String, Value>, is_alone: bool) -> Vec<Statement> {
    let has = |key: &str| object.contains_key(key);
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    if eksplain_parse::cloudtrail::looks_like_cloudtrail(has) {
        return vec![Statement::Call(Box::new(value.clone()))];
    }
    if has("auditID") || (has("responseStatus") && has("verb")) {
        return vec![Statement::Audit(Box::new(value.clone()))];
    }
    if text("kind") == Some("Status") {
        return vec![Statement::Status {
            message: text("message").unwrap_or_default().to_owned(),
            code: object
                .get("code")
                .and_then(Value::as_i64)
                .and_then(|code| i32::try_from(code).ok()),
            reason: text("reason").map(str::to_owned),
        }];
    }
    for list in ["Records", "Events", "items", "events"] {
        if let Some(items) = object.get(list).filter(|items| items.is_array()).filter(|_| is_alone) {
            return of_json(items, true);
        }
    }
    // Envelopes that hold a record or a line as text.
    for key in ["CloudTrailEvent", "log", "@message"] {
        if let Some(inner) = text(key) {
            return statements(inner);
        }
    }
    let message = ["msg", "message", "Message", "errorMessage"]
        .iter()
        .find_map(|key| text(key));
    let error = ["error", "err", "cause"].iter().find_map(|key| text(key));
    if message == Some("access denied") && has("level") {
        return vec![Statement::Login {
            error: error.unwrap_or_default().to_owned(),
            arn: text("arn").map(str::to_owned),
        }];
    }
    let code = ["__type", "code", "Code", "errorType", "name"]
        .iter()
        .find_map(|key| text(key));
    let code = code.map(|code| code.rsplit(['#', '.']).next().unwrap_or(code));
    let sentence = match (code, message, error) {
        (_, Some(message), Some(error)) if message != error => format!("{message}: {error}"),
        (Some(code), Some(message), _) => format!("{code}: {message}"),
        (None, Some(message), _) => message.to_owned(),
        (_, None, Some(error)) => error.to_owned(),
        _ => return Vec::new(),
    };
    match is_alone || has("statusCode") || has("code") {
        true => statements(&sentence),
        false => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let plain = |statement| match statement {
            Statement::Plain { text, .. } => text,
            other => format!("{other:?}"),
        };
        statements(text).into_iter().map(plain).collect()
    }

    #[test]
    fn decoration_is_taken_off_and_boxes_are_unfolded() {
        let wrapped = "╷\n│ Error: creating EKS Access Entry: the specified access entry\n│ resource is already in use on this cluster.\n│\n│   with aws_eks_access_entry.this,\n╵";
        assert_eq!(
            texts(wrapped)[0],
            "Error: creating EKS Access Entry: the specified access entry resource is already in use on this cluster."
        );
        let journal = "Jun 06 19:33:03 ip-10-0-33-7 kubelet[3214]: E0606 19:33:03.828406 3214 kubelet_node_status.go:96] \"Unable to register node with API server\" err=\"Unauthorized\" node=\"ip\"";
        assert_eq!(
            texts(journal),
            ["Unable to register node with API server: Unauthorized"]
        );
        assert_eq!(
            texts("\u{1b}[31mError:\u{1b}[0m Unauthorized\r\n"),
            ["Error: Unauthorized"]
        );
        assert_eq!(
            texts("2026-01-02 10:00:00 [✖]  getting auth ConfigMap: Unauthorized"),
            ["getting auth ConfigMap: Unauthorized"]
        );
    }

    #[test]
    fn repeats_are_folded_and_json_is_read() {
        let klog = |second: u32| {
            format!(
                "E0227 18:20:{second:02}.383530   26126 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API group list: Unauthorized\"\n"
            )
        };
        assert_eq!(texts(&(klog(1) + &klog(2))).len(), 1);
        let body = "Reason: Forbidden\nHTTP response body: {\"kind\":\"Status\",\"message\":\"x\",\"code\":403}\nafter";
        assert_eq!(texts(body).len(), 4, "{:?}", texts(body));
    }
}
