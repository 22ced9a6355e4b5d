use super::*;
use crate::event::{Event, JobKey, Kind, Run, Worker};

fn page(name: &str, figures: &[Figure]) -> String {
    let job = JobKey { pool: 1, job: 1 };
    let worker = Worker { kind: Kind::Process, pool: 1, id: 1, pid: 7 };
    let run = Run { first: 0, count: 1, begun: 5, called: 6, returned: 9, ended: 10, ..Run::default() };
    let events = vec![
        Event::Named { job, index: None, text: name.into() },
        Event::Ran { job, worker, runs: vec![run], at: 12 },
    ];
    let mut text = Vec::new();
    let written = report(&Trace::assemble(1, 0, 20, events), "A <title> & more", figures, &mut text);
    assert!(written.is_ok());
    String::from_utf8(text).unwrap_or_default()
}

#[test]
fn what_is_named_cannot_break_the_page() {
    let page = page("</script><b>", &[]);
    assert!(page.contains("A &lt;title&gt; &amp; more"));
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(page.contains(r"\u003c/script>"));
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>".into();
    let page = page("f", &[Figure { title: "Graph".into(), svg }]);
    assert!(page.contains("<h2>Graph</h2><svg"));
    for word in ["src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn of_very_many_tasks_the_longest_are_drawn() {
    let job = JobKey { pool: 1, job: 1 };
    let worker = Worker { kind: Kind::Thread, pool: 1, id: 1, pid: 7 };
    let runs = (0..MOST_TASKS as u64 + 10)
        .map(|first| {
            let begun = first * 100;
            let returned = begun + 1 + u64::from(first >= 10);
            Run { first, count: 1, begun, called: begun, returned, ended: returned, ..Run::default() }
        })
        .collect();
    let trace = Trace::assemble(1, 0, u64::MAX >> 8, vec![Event::Ran { job, worker, runs, at: 1 << 40 }]);
    let data = data(&trace);
    assert_eq!(data["tasks"].as_array().map(Vec::len), Some(MOST_TASKS));
    assert_eq!(data["all"], MOST_TASKS + 10);
    assert_eq!(data["items"], MOST_TASKS + 10);
    let shortest =
        data["tasks"].as_array().and_then(|tasks| tasks.iter().find(|task| task[1] == "item [3]").cloned());
    assert_eq!(shortest, None);
}
