//! The report of a run as one page that needs nothing else: figures, pictures of stops, failures and how to see them again.

use std::fmt::Write;

use super::run::Outcome;
use super::stops::names;

/// A whole page; beside each outcome stands the command that leads to it again.
pub fn page(title: &str, outcomes: &[(Outcome, String)]) -> String {
    let failed = outcomes.iter().filter(|(outcome, _)| !outcome.passed).count();
    let verdict = if failed == 0 { format!("{} scenarios held", outcomes.len()) } else { format!("{failed} failed") };
    let title = escape(title);
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}: {verdict}</title><style>{STYLE}</style>\
         <h1>{verdict}</h1><p><code>{title}</code></p><table><tr>"
    );
    let columns =
        ["scenario", "time, s", "turns", "checks", "young", "full", "moving", "MiB", "refused", "longest stop, ms"];
    columns.iter().chain(&["stops by length"]).for_each(|column| _ = write!(page, "<th>{column}"));
    for (outcome, _) in outcomes {
        let _ = write!(
            page,
            "<tr class={}><td>{}<td>{:.1}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{:.2}<td>{}",
            if outcome.passed { "ok" } else { "failed" },
            escape(&outcome.scenario),
            outcome.seconds,
            outcome.turns,
            outcome.checks,
            outcome.scavenges,
            outcome.full_collections,
            outcome.evacuations,
            outcome.mib,
            outcome.refusals,
            outcome.longest_stop_ms,
            bars(&outcome.stops),
        );
    }
    page += "</table>";
    for (outcome, again) in outcomes.iter().filter(|(outcome, _)| !outcome.passed) {
        let said = outcome.fields.get("said").and_then(|said| said.as_str()).unwrap_or("");
        let _ = write!(
            page,
            "<h2>{}</h2><p>{}</p><p>again: <code>{}</code></p><pre>{}</pre>",
            escape(&outcome.scenario),
            escape(outcome.failure.as_deref().unwrap_or("")),
            escape(again),
            escape(said),
        );
    }
    page
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:80em;color:#222}\
    table{border-collapse:collapse}td,th{padding:.25em .7em;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}\
    td:first-child,th:first-child{text-align:left}.failed td:first-child{color:#b00020;font-weight:bold}\
    .ok td:first-child{color:#1b6e3c}pre{background:#f5f5f5;padding:1em;overflow-x:auto}svg{vertical-align:middle}";

/// A bar for each bucket, as high as the number of its digits: one long stop is seen beside a million short ones.
fn bars(stops: &[u64]) -> String {
    const WIDTH: usize = 14;
    let mut svg = format!("<svg width={} height=34>", stops.len() * WIDTH);
    for ((at, count), name) in stops.iter().enumerate().zip(names()) {
        let height = if *count == 0 { 0.0 } else { 4.0 + 4.5 * (*count as f64).log10() };
        let (x, y, name) = (at * WIDTH, 34.0 - height, escape(&name));
        let _ = write!(
            svg,
            "<rect x={x} y={y:.1} width={} height={height:.1} fill=#4a7fb5><title>{name} {count}</title></rect>",
            WIDTH - 2
        );
    }
    svg + "</svg>"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failure_says_is_text_on_the_page() {
        let mut outcome =
            Outcome { scenario: "trees".to_owned(), failure: Some("<b>".to_owned()), ..Outcome::default() };
        outcome.stops = vec![0, 10, 1];
        let page = page("run", &[(outcome, "orinoco stress trees --seed 3".to_owned())]);
        assert!(page.contains("1 failed") && page.contains("&lt;b&gt;") && !page.contains("<b>"));
        assert!(page.contains("--seed 3") && page.contains("<title>&lt;100 µs 10</title>"));
    }
}
