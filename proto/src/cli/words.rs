//! The sentences that people read, the same for every face that writes text.

use std::time::Duration;

use super::escape::printable;
use super::event::{Event, LastWords, Snapshot, Summary, program_name};
use super::exit::{advice, meaning};
use super::setting::Setting;
use crate::backup::{BackupFacts, BackupKind};
use crate::failure::{Cause, Party};
use crate::quantity::{ByteSize, Span};

/// The words that only a verdict may say. Scripts look for them.
const VERDICT: &str = "completed OK!";

/// What there is to say about an event, line by line, for a program of `own` party. Every line is
/// printable, and the verdict's words stand in no other event's.
pub(super) fn sentences(own: Party, event: &Event) -> Vec<String> {
    match event {
        Event::Finished(summary) => verdict(summary),
        _ => unconfirmed(own, event).iter().map(|sentence| without_verdict(sentence)).collect(),
    }
}

/// The text with the verdict's words, which tools and peers say too, made harmless.
pub(super) fn without_verdict(text: &str) -> String {
    text.replace(VERDICT, "completed, unconfirmed")
}

fn unconfirmed(own: Party, event: &Event) -> Vec<String> {
    let sentence = match event {
        Event::Session(_) | Event::NoSession | Event::Passed(_) | Event::Finished(_) => return Vec::new(),
        Event::Listening { address } => format!("listening on {address}"),
        Event::Reachable { addresses } => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("reachable at {}", addresses.join(", "))
        }
        Event::Invite { command, key } => return invitation(command, &key.reveal()),
        Event::Connecting { to } => format!("connecting to {}", printable(to)),
        Event::Connected { peer } if own == Party::Receiver => format!("the sender has come from {peer}"),
        Event::Connected { peer } => format!("connected to {peer}"),
        Event::Interrupted { reason, patience, dials } => interrupted(own, reason, *patience, *dials),
        Event::Resumed { offset, after } => {
            format!("resumed at byte {offset}, {} after the last sign of life", Span(*after))
        }
        Event::Stranger { peer, why } => format!("turned away {peer}: {}", printable(why)),
        Event::Notice(text) | Event::Detail(text) => printable(text).into_owned(),
        Event::Warning(text) => format!("warning: {}", printable(text)),
        Event::Child { label, line } => format!("{label}: {}", printable(line)),
        Event::Far { host, line } => format!("{}: {}", printable(host), printable(line)),
        Event::Status(status) => return status.lines().iter().map(|line| printable(line).into_owned()).collect(),
        Event::Progress(snapshot) => progress(snapshot),
        Event::Checksum { name, sum, .. } => format!("{sum}  {}", printable(name)),
        Event::Backup(facts) => backup(facts),
        Event::Failed(words) => return last_words(own, words),
    };
    vec![sentence]
}

fn interrupted(own: Party, reason: &str, patience: Duration, dials: Party) -> String {
    let (reason, patience) = (printable(reason), Span(patience));
    match own == dials {
        true => format!("interrupted: {reason}; trying to come back for {patience} (--retry-for)"),
        false => format!("interrupted: {reason}; waiting {patience} for the {dials} to come back"),
    }
}

/// The sentences as a terminal shows them: behind the program's name, but for those that are to be
/// copied, or that have a name of their own.
pub(super) fn signed(own: Party, event: &Event) -> Vec<String> {
    let sentences = sentences(own, event);
    match event {
        Event::Listening { .. }
        | Event::Invite { .. }
        | Event::Child { .. }
        | Event::Far { .. }
        | Event::Checksum { .. } => sentences,
        _ => sentences.iter().map(|sentence| format!("{}: {sentence}", program_name(own))).collect(),
    }
}

/// How far, how fast and how long still.
pub(super) fn numbers(snapshot: &Snapshot) -> String {
    let bytes = ByteSize(snapshot.bytes);
    let moved = match snapshot.total {
        Some(total) => format!("{bytes} of {}{}", ByteSize(total), percentage(snapshot.bytes, total)),
        None => bytes.to_string(),
    };
    let left = snapshot.eta.map(|left| format!(", {} left", Span(left))).unwrap_or_default();
    format!("{moved}, {}/s now, {}/s average{left}", ByteSize(snapshot.now), ByteSize(snapshot.average))
}

/// What is going on: who is waited for, what is special, the file passing by. May be empty.
pub(super) fn passing(snapshot: &Snapshot) -> String {
    let bottleneck = snapshot.bottleneck.map(|whom| format!("waiting for {}", whom.words()));
    let note = snapshot.note.as_deref().map(|note| printable(note).into_owned());
    let file = snapshot.file.as_deref().map(|file| printable(file).into_owned());
    [bottleneck, note, file].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn progress(snapshot: &Snapshot) -> String {
    match passing(snapshot) {
        nothing if nothing.is_empty() => numbers(snapshot),
        passing => format!("{}, {passing}", numbers(snapshot)),
    }
}

fn percentage(bytes: u64, total: u64) -> String {
    match (u128::from(bytes) * 100).checked_div(u128::from(total)) {
        Some(percent @ 0..=100) => format!(" ({percent} %)"),
        // A total that was only guessed, and too low.
        _ => String::new(),
    }
}

fn invitation(command: &str, key: &str) -> Vec<String> {
    vec![
        "On the other host, run".to_owned(),
        format!("    {}", printable(command)),
        "and give it this key when it asks:".to_owned(),
        format!("    {key}"),
    ]
}

/// What kind of backup of what it is, how far it goes, and how the next incremental one begins.
fn backup(facts: &BackupFacts) -> String {
    let kind = facts.kind.as_ref().map(|kind| format!("{kind} ")).unwrap_or_default();
    let server = facts.server_version.as_ref().map(|version| format!(" of {version}")).unwrap_or_default();
    let from = match (&facts.kind, facts.from_lsn) {
        (Some(BackupKind::Full), _) | (_, None) => String::new(),
        (_, Some(lsn)) => format!(" from LSN {lsn}"),
    };
    let to = facts.to_lsn.map(|lsn| format!(" to LSN {lsn}; next: --incremental-lsn={lsn}")).unwrap_or_default();
    printable(&format!("{kind}backup{server}{from}{to}")).into_owned()
}

fn verdict(summary: &Summary) -> Vec<String> {
    let files = match summary.files {
        Some(1) => "1 file, ".to_owned(),
        Some(files) => format!("{files} files, "),
        None => String::new(),
    };
    let moved = format!(
        "{files}{} in {}, {}/s, {}",
        ByteSize(summary.bytes),
        Span(summary.elapsed),
        ByteSize(summary.average),
        printable(&summary.reached)
    );
    let compressed = summary.compressed.iter().map(ToString::to_string);
    let limited = summary.limited.as_ref().map(|limited| printable(&limited.to_string()).into_owned());
    compressed.chain([moved]).chain(limited).chain([VERDICT.to_owned()]).collect()
}

/// The first cause in the same words on both sides, what is left here, what to do, and the code.
fn last_words(own: Party, LastWords { failure, left, setting }: &LastWords) -> Vec<String> {
    let code = failure.cause.code();
    let reason = match failure.party {
        // That it is about this command line, or the only host, goes without saying.
        party if party == own && (failure.cause == Cause::Usage || *setting == Setting::OneHost) => {
            failure.reason.clone()
        }
        _ => failure.to_string(),
    };
    let left = left.as_ref().map(|left| format!("left here: {left}; "));
    let next = format!("{}next: {}", left.unwrap_or_default(), advice(code, *setting));
    vec![
        printable(&reason).into_owned(),
        printable(&next).into_owned(),
        format!("failed (exit code {code}: {})", meaning(code)),
    ]
}
