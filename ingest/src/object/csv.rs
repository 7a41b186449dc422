//! CSV as the consoles of CloudWatch Logs and Logs Insights save it, or a spreadsheet after them.
//!
//! The first row names the columns; `message` (Insights: `@message`) is what counts, the others tell its place. A spreadsheet writes
//! semicolons where the decimal comma is usual.

use eksplain_parse::time::parse_rfc3339;

use super::At;
use super::record::Records;
use crate::place::{Place, is_account};

/// Characters that a cell of a spreadsheet can hold.
const CELL: usize = 32_767;
/// CloudTrail's event history, as its console saves it as CSV: who did what to what, and nothing else.
const EVENT_HISTORY: [&str; 3] = ["event name", "event time", "event source"];

/// The columns of a table of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    delimiter: u8,
    message: usize,
    timestamp: Option<usize>,
    stream: Option<usize>,
    log: Option<usize>,
}

/// What the first row of a text says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// Messages in a table; the row ends here.
    Messages(Table, usize),
    /// A table that is known, and is of no use.
    Useless(&'static str),
}

/// Looks at the beginning of a text.
pub(super) fn header(text: &str) -> Option<Header> {
    // A header is short; a log record would be far longer before its first line ends.
    let line = text.lines().next().filter(|line| line.len() < 4096)?;
    for delimiter in *b",;\t" {
        let (cells, end) = row(text, delimiter, true)?;
        let names: Vec<String> = cells.iter().map(|cell| cell.trim().to_lowercase()).collect();
        let at = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        if EVENT_HISTORY.iter().all(|name| at(&[name]).is_some()) {
            return Some(Header::Useless(
                "CloudTrail's event history as CSV, which has only a summary of each event: download it as JSON, or run aws cloudtrail \
                 lookup-events",
            ));
        }
        let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"@_-. ".contains(&b));
        if !names.iter().all(is_name) || (names.len() == 1 && line.trim_matches('"') != "@message") {
            continue;
        }
        if let Some(message) = at(&["message", "@message"]) {
            let table = Table {
                delimiter,
                message,
                timestamp: at(&["timestamp", "@timestamp"]),
                stream: at(&["@logstream", "logstream", "logstreamname", "log stream"]),
                log: at(&["@log", "loggroup", "loggroupname"]),
            };
            return Some(Header::Messages(table, end));
        }
    }
    None
}

impl Table {
    /// The row at the beginning of a text, and where it ends; `None` where it goes on behind the text.
    pub(super) fn row(&self, text: &str, is_last: bool) -> Option<(Vec<String>, usize)> {
        row(text, self.delimiter, is_last)
    }

    /// Gives a row's message to the records.
    pub(super) fn take(&self, cells: &[String], text: &str, records: &mut Records<'_>, at: At<'_>) {
        let cell = |column: Option<usize>| {
            cells
                .get(column?)
                .map(|cell| cell.trim())
                .filter(|cell| !cell.is_empty())
        };
        let Some(message) = cell(Some(self.message)) else {
            return records.reject("unknown", "a row without a message", text, at);
        };
        let mut place = at.place.clone();
        if let Some(stream) = cell(self.stream) {
            place.stream = Some(stream.to_owned());
        }
        if let Some(log) = cell(self.log) {
            place.name_log(log);
        }
        let at = At {
            place: &place,
            ts: cell(self.timestamp).and_then(time),
            ..at
        };
        if message.chars().count() >= CELL && message.starts_with('{') && !message.ends_with('}') {
            let reason =
                "cut off: a spreadsheet keeps 32,767 characters of a cell: take the file as CloudWatch saved it";
            return records.reject("audit", reason, message, at);
        }
        records.message(message, at);
    }
}

impl Place {
    /// Takes what a log is called: `ACCOUNT:/aws/eks/NAME/cluster`, with or without the account.
    pub(super) fn name_log(&mut self, log: &str) {
        let (account, group) = log.split_once(':').unwrap_or(("", log));
        if is_account(account) {
            self.account = Some(account.to_owned());
        }
        self.name_log_group(group);
    }
}

/// Milliseconds since 1970, or as Insights writes it; what a spreadsheet made of it is no matter, records have their own time.
fn time(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(millis) => millis.checked_mul(1000),
        Err(_) => parse_rfc3339(text),
    }
}

fn row(text: &str, delimiter: u8, is_last: bool) -> Option<(Vec<String>, usize)> {
    use csv_core::ReadRecordResult;
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let mut bytes = vec![0; 4096];
    let mut ends = vec![0; 32];
    let (mut read, mut written, mut fields) = (0, 0, 0);
    loop {
        let (result, taken, put, ended) =
            reader.read_record(&text.as_bytes()[read..], &mut bytes[written..], &mut ends[fields..]);
        (read, written, fields) = (read + taken, written + put, fields + ended);
        match result {
            ReadRecordResult::OutputFull => bytes.resize(bytes.len() * 2, 0),
            ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
            // With nothing more to come, an empty input ends the row.
            ReadRecordResult::InputEmpty if is_last => {}
            ReadRecordResult::InputEmpty | ReadRecordResult::End => return None,
            ReadRecordResult::Record => break,
        }
    }
    let mut start = 0;
    let cells = ends[..fields]
        .iter()
        .map(|end| {
            let cell = String::from_utf8_lossy(&bytes[start..*end]).into_owned();
            start = *end;
            cell
        })
        .collect();
    Some((cells, read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_tells_the_columns() {
        let table = |text: &str| match header(text) {
            Some(Header::Messages(table, _)) => Some((table.delimiter, table.message, table.timestamp)),
            _ => None,
        };
        assert_eq!(table("timestamp,message\n1,x\n"), Some((b',', 1, Some(0))));
        assert_eq!(table("@timestamp;@message\r\n"), Some((b';', 1, Some(0))));
        assert_eq!(
            table("\"@logstream\",\"@timestamp\",\"@message\"\r\n"),
            Some((b',', 2, Some(1)))
        );
        assert_eq!(table("@message"), Some((b',', 0, None)));
        for other in [
            "message",
            "the message, and more: x=1",
            "time=\"1\" level=info msg=\"a, message\"",
            "",
        ] {
            assert_eq!(header(other), None, "{other}");
        }
        assert!(matches!(
            header("Event name,Event time,User name,Event source,Resource type,Resource name\n"),
            Some(Header::Useless(_))
        ));
    }

    #[test]
    fn a_row_ends_where_its_quotes_let_it() {
        let row = |text: &str, is_last| row(text, b',', is_last).map(|(cells, end)| (cells.join("|"), end));
        assert_eq!(
            row("1,\"a \"\"b\"\"\nc\"\n2,", false),
            Some(("1|a \"b\"\nc".to_owned(), 14))
        );
        assert_eq!(row("1,\"a", false), None);
        assert_eq!(row("1,a", true), Some(("1|a".to_owned(), 3)));
        assert_eq!(row("", true), None);
    }
}
