//! A transcript: commands and what they print.

/// Carries out the commands of a transcript and gives the transcript of what happened. Lines before the first command
/// are kept: they tell the situation.
pub fn play(wanted: &str, carry_out: &mut dyn FnMut(&str) -> String) -> String {
    let mut found = String::new();
    let mut is_story = true;
    for line in wanted.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            is_story = false;
            let printed = carry_out(command);
            found.push_str(line);
            found.push('\n');
            found.push_str(&printed);
            if !printed.is_empty() && !printed.ends_with('\n') {
                found.push('\n');
            }
        } else if is_story {
            found.push_str(line);
            found.push('\n');
        }
    }
    found
}

/// The first line in which two texts differ, both ways.
pub fn first_difference(wanted: &str, found: &str) -> String {
    let (mut wanted, mut found) = (wanted.lines(), found.lines());
    for number in 1.. {
        let (left, right) = (wanted.next(), found.next());
        if left != right || left.is_none() {
            let show = |line: Option<&str>| line.unwrap_or("(the end)").to_string();
            return format!("line {number}\n- {}\n+ {}", show(left), show(right));
        }
    }
    String::new()
}

#[test]
fn a_transcript_keeps_its_story_and_shows_what_was_printed() {
    let mut asked = Vec::new();
    let wanted = "The story.\n\n$ one\nold\n$ two\n";
    let found = play(wanted, &mut |command| {
        asked.push(command.to_string());
        format!("{command} printed")
    });
    assert_eq!(found, "The story.\n\n$ one\none printed\n$ two\ntwo printed\n");
    assert_eq!(asked, ["one", "two"]);
    assert_eq!(first_difference(wanted, &found), "line 4\n- old\n+ one printed");
}
