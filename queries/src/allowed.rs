//! What `query` runs: one statement that reads the tables of the lake and nothing else.
//!
//! The engine could read any file and any address by its table functions, so a statement is understood here first, with the parser that
//! the engine uses: its tables must be the lake's or its own, its functions those of the list. What this parser does not understand is
//! not run.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, ObjectName, Query, Select, SetExpr, Statement, TableFactor, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::engine::Error;

/// A statement has no more words and signs than this: the parser and the engine go down into it step by step, and `1+1+…` is as deep as
/// it is long.
const LONGEST: usize = 4_000;
/// Brackets in brackets, and the like.
const DEEPEST: usize = 60;

/// Functions that look at nothing but their arguments, and whose answers are not much longer than these.
const FUNCTIONS: &[&str] = &[
    "abs",
    "acos",
    "acosd",
    "array_agg",
    "array_contains",
    "array_get",
    "array_length",
    "array_lower",
    "array_mean",
    "array_reverse",
    "array_sum",
    "array_to_string",
    "array_unique",
    "array_upper",
    "asin",
    "asind",
    "atan",
    "atan2",
    "atan2d",
    "atand",
    "avg",
    "bit_and",
    "bit_count",
    "bit_length",
    "bit_not",
    "bit_or",
    "bit_xor",
    "bitand",
    "bitcount",
    "bitnot",
    "bitor",
    "bitxor",
    "cbrt",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "corr",
    "cos",
    "cosd",
    "cot",
    "cotd",
    "count",
    "covar",
    "covar_pop",
    "covar_samp",
    "date",
    "date_part",
    "datetime",
    "degrees",
    "dense_rank",
    "div",
    "ends_with",
    "exp",
    "first",
    "first_value",
    "floor",
    "greatest",
    "group_concat",
    "if",
    "ifnull",
    "initcap",
    "lag",
    "last",
    "last_value",
    "lead",
    "least",
    "left",
    "length",
    "listagg",
    "ln",
    "log",
    "log10",
    "log1p",
    "log2",
    "lower",
    "ltrim",
    "max",
    "median",
    "min",
    "mod",
    "normalize",
    "nullif",
    "octet_length",
    "pi",
    "pow",
    "power",
    "quantile_cont",
    "quantile_disc",
    "radians",
    "rank",
    "regexp_like",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "sin",
    "sind",
    "split_part",
    "sqrt",
    "starts_with",
    "stddev",
    "stddev_samp",
    "stdev",
    "stdev_samp",
    "strftime",
    "string_agg",
    "string_to_array",
    "strpos",
    "strptime",
    "substr",
    "substring",
    "sum",
    "tan",
    "tand",
    "time",
    "timestamp",
    "total",
    "trim",
    "trunc",
    "truncate",
    "unnest",
    "upper",
    "var",
    "var_samp",
    "variance",
    "xor",
];

/// Refuses what is no single query of these tables.
pub(crate) fn check(text: &str, tables: &BTreeSet<&str>) -> Result<(), Error> {
    let statement = |what: String| Error::Statement { what };
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize()
        .map_err(|error| statement(error.to_string()))?;
    let words = tokens
        .iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .count();
    if words > LONGEST {
        return Err(statement(format!(
            "it has {words} words and signs, and at most {LONGEST} are run"
        )));
    }
    let mut statements = Parser::new(&GenericDialect {})
        .with_recursion_limit(DEEPEST)
        .with_tokens(tokens)
        .parse_statements()
        .map_err(|error| statement(error.to_string()))?;
    // One that changes something is named, whatever stands beside it.
    if let Some(other) = statements.iter().find(|statement| !is_query(statement)) {
        return Err(Error::NotAQuery {
            statement: first_word(other),
        });
    }
    let (Some(only), true) = (statements.pop(), statements.is_empty()) else {
        return Err(statement(
            "it is not one statement: ask one question at a time".to_owned(),
        ));
    };
    let mut own = Names(BTreeSet::new());
    let _ = only.visit(&mut own);
    let mut walk = Walk { tables, own: own.0 };
    match only.visit(&mut walk) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn is_query(statement: &Statement) -> bool {
    match statement {
        Statement::Query(_) | Statement::ShowTables { .. } => true,
        Statement::Explain { statement, .. } => matches!(**statement, Statement::Query(_)),
        _ => false,
    }
}

fn first_word(statement: &Statement) -> String {
    statement.to_string().split(' ').next().unwrap_or_default().to_owned()
}

/// Names that a statement gives to parts of itself.
struct Names(BTreeSet<String>);

impl Visitor for Names {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.0.extend(tables.map(|table| table.alias.name.value.to_lowercase()));
        ControlFlow::Continue(())
    }
}

struct Walk<'t> {
    tables: &'t BTreeSet<&'t str>,
    own: BTreeSet<String>,
}

impl Walk<'_> {
    fn table(&self, name: &ObjectName) -> ControlFlow<Error> {
        let asked = name.to_string();
        let plain = match name.0.as_slice() {
            [part] => part.as_ident().map(|ident| ident.value.to_lowercase()),
            _ => None,
        };
        let is_known = plain.is_some_and(|name| self.own.contains(&name) || self.tables.contains(name.as_str()));
        if is_known {
            return ControlFlow::Continue(());
        }
        let known: Vec<&str> = self.tables.iter().copied().collect();
        refused(format!(
            "{asked} is not a table of the lake, which has {}",
            known.join(", ")
        ))
    }
}

fn refused(what: String) -> ControlFlow<Error> {
    ControlFlow::Break(Error::Statement { what })
}

impl Visitor for Walk<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        let is_reading = matches!(
            *query.body,
            SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::SetOperation { .. } | SetExpr::Values(_)
        );
        match is_reading {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(Error::NotAQuery {
                statement: query.body.to_string().split(' ').next().unwrap_or_default().to_owned(),
            }),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        match &select.into {
            Some(_) => ControlFlow::Break(Error::NotAQuery {
                statement: "SELECT INTO".to_owned(),
            }),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        match factor {
            TableFactor::Table { name, args: None, .. } => self.table(name),
            TableFactor::Table { name, .. } => refused(format!(
                "{name}(…) reads something else than the lake, and only its tables are read"
            )),
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } | TableFactor::UNNEST { .. } => {
                ControlFlow::Continue(())
            }
            other => refused(format!("only the tables of the lake are read, and not {other}")),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        let name = function.name.to_string().to_lowercase();
        if FUNCTIONS.contains(&name.as_str()) {
            return ControlFlow::Continue(());
        }
        refused(format!("the function {name} is not one of those that query runs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        let tables = BTreeSet::from(["audit", "cloudtrail"]);
        check(text, &tables).err().map(|error| error.to_string())
    }

    #[test]
    fn queries_of_the_lake_are_run() {
        for query in [
            "SELECT 1",
            "SELECT count(*) FROM audit;",
            "SELECT \"audit\".verb FROM \"audit\" JOIN cloudtrail ON true",
            "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT x FROM B",
            "SELECT x FROM (SELECT verb AS x FROM audit) AS t WHERE x IN (SELECT event_name FROM cloudtrail)",
            "SELECT verb FROM audit UNION ALL SELECT event_name FROM cloudtrail ORDER BY 1 LIMIT 3",
            "SHOW TABLES",
            "EXPLAIN SELECT 1",
        ] {
            assert_eq!(said(query), None, "{query}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for (query, words) in [
            (
                "SELECT * FROM read_parquet('/etc/x')",
                "read_parquet(…) reads something else",
            ),
            (
                "SELECT * FROM read_csv('http://x/y')",
                "read_csv(…) reads something else",
            ),
            ("SELECT * FROM audit, read_json('s3://x')", "read_json(…)"),
            ("SELECT * FROM audit JOIN read_ipc('x') ON true", "read_ipc(…)"),
            ("SELECT * FROM (SELECT * FROM read_parquet('x')) t", "read_parquet(…)"),
            (
                "WITH t AS (SELECT * FROM read_parquet('x')) SELECT * FROM t",
                "read_parquet(…)",
            ),
            ("SELECT (SELECT 1 FROM read_parquet('x')) FROM audit", "read_parquet(…)"),
            (
                "SELECT 1 WHERE 1 IN (SELECT 1 FROM read_parquet('x'))",
                "read_parquet(…)",
            ),
            ("SELECT * FROM '/etc/x.parquet'", "not a table of the lake"),
            ("SELECT * FROM \"/etc/x.parquet\"", "not a table of the lake"),
            ("SELECT * FROM other.audit", "not a table of the lake"),
            ("SELECT * FROM TABLE(read_parquet('x'))", "read_parquet"),
            ("SELECT getenv('HOME')", "the function getenv"),
            ("SELECT lpad('a', 1000000000000)", "the function lpad"),
            ("DELETE FROM audit", "run DELETE"),
            ("drop table audit", "run DROP"),
            ("CREATE TABLE a AS SELECT 1", "run CREATE"),
            ("TRUNCATE TABLE audit", "run TRUNCATE"),
            ("SELECT 1; DELETE FROM audit", "run DELETE"),
            ("SELECT 1; SELECT 2", "not one statement"),
            ("SELECT * INTO x FROM audit", "SELECT INTO"),
            ("EXPLAIN DELETE FROM audit", "run EXPLAIN"),
            ("COPY audit TO '/tmp/x'", "run COPY"),
            ("INSERT INTO audit SELECT 1", "run INSERT"),
            ("", "not one statement"),
            ("not SQL at all", "run"),
        ] {
            let said = said(query).unwrap_or_else(|| panic!("{query} is run"));
            assert!(said.contains(words), "{query}: {said}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let plus = format!("SELECT {}1", "1+".repeat(50_000));
        assert!(said(&plus).is_some_and(|said| said.contains("words and signs")));
        let brackets = format!("SELECT {}1{}", "(".repeat(1_500), ")".repeat(1_500));
        assert!(said(&brackets).is_some_and(|said| said.contains("recursion")));
        assert_eq!(said(&format!("SELECT {}1", "1+".repeat(900))), None);
    }
}
