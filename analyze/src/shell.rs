//! Words for a POSIX shell: what a log holds must stay one word of a command that somebody may copy.

/// A word for a POSIX shell: as it is where nothing in it means anything to the shell.
pub fn quote(word: &str) -> String {
    let is_plain = !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&b));
    match is_plain {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_the_shell_is_quoted() {
        assert_eq!(
            quote("arn:aws:iam::111122223333:role/a+b=c,d.e@f-g_h%"),
            "arn:aws:iam::111122223333:role/a+b=c,d.e@f-g_h%"
        );
        for (word, quoted) in [
            ("", "''"),
            ("a b", "'a b'"),
            ("$(rm -rf /)", "'$(rm -rf /)'"),
            ("it's", r"'it'\''s'"),
            ("~root", "'~root'"),
            ("a\nb", "'a\nb'"),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }
}
