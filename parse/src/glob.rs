//! Patterns with `*` and `?`, as the names of clusters, namespaces and principals are given. Time is at most the product of both lengths.

/// Whether `pattern`, in which `*` is any text and `?` any letter, matches the whole of `text`; letters are folded.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let (p, t): (Vec<char>, Vec<char>) = (
        pattern.to_lowercase().chars().collect(),
        text.to_lowercase().chars().collect(),
    );
    let (mut i, mut j, mut star, mut mark) = (0, 0, None, 0);
    while j < t.len() {
        if i < p.len() && p[i] == '*' {
            star = Some(i);
            mark = j;
            i += 1;
        } else if i < p.len() && (p[i] == '?' || p[i] == t[j]) {
            i += 1;
            j += 1;
        } else if let Some(s) = star {
            i = s + 1;
            mark += 1;
            j = mark;
        } else {
            return false;
        }
    }
    p[i..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_text_in_any_case() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("PROD*", "prod-eu", true),
            ("prod", "prod-eu", false),
            ("*-eu", "prod-eu", true),
            ("p?od*e*", "prod-eu", true),
            ("?", "é", true),
            ("a*b*c", "abcbd", false),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!glob_matches(&("*a".repeat(40) + "c"), &"a".repeat(4_000)));
    }
}
