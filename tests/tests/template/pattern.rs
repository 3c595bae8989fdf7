//! EventBridge's event patterns, as far as the template uses them (EventBridge user guide, eb-create-pattern-operators).

use serde_json::Value;

/// Whether a rule with this pattern gets this event. Fields that the pattern does not name do not matter.
pub(crate) fn matches(pattern: &Value, event: &Value) -> bool {
    pattern.as_object().unwrap().iter().all(|(name, wanted)| match wanted {
        Value::Object(_) => {
            event.get(name).is_some_and(Value::is_object) && matches(wanted, &event[name]) || all_absent(wanted, event.get(name))
        }
        Value::Array(filters) => filters.iter().any(|filter| passes(filter, event.get(name))),
        other => panic!("`{other}` is no pattern"),
    })
}

/// An object that is missing satisfies a pattern that asks for absent fields only.
fn all_absent(wanted: &Value, found: Option<&Value>) -> bool {
    found.is_none() && matches(wanted, &Value::Object(serde_json::Map::new()))
}

fn passes(filter: &Value, found: Option<&Value>) -> bool {
    let Some((operator, argument)) = filter.as_object().and_then(|fields| fields.iter().next()) else {
        return found == Some(filter);
    };
    let text = found.and_then(Value::as_str);
    let with = |test: fn(&str, &str) -> bool| text.is_some_and(|text| test(text, argument.as_str().unwrap()));
    match operator.as_str() {
        "exists" => found.is_some() == (argument == true),
        "prefix" => with(|text, start| text.starts_with(start)),
        "suffix" => with(|text, end| text.ends_with(end)),
        "wildcard" => with(|text, pattern| wildcard(pattern, text)),
        other => panic!("`{other}` is not understood by this test"),
    }
}

/// `*` stands for any text, the empty one too, across `/`. IAM's wildcards are the same.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text
            .strip_prefix(start)
            .is_some_and(|tail| tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| wildcard(rest, &tail[at..]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pattern_compares_exactly_and_ignores_what_it_does_not_name() {
        let event = json!({"source": "aws.s3", "detail": {"bucket": {"name": "b"}, "more": 1}});
        assert!(matches(&json!({"source": ["x", "aws.s3"], "detail": {"bucket": {"name": ["b"]}}}), &event));
        assert!(!matches(&json!({"source": ["aws"]}), &event));
        assert!(!matches(&json!({"source": ["aws.s3"], "detail": {"bucket": {"name": ["B"]}}}), &event));
        assert!(!matches(&json!({"detail": {"object": {"key": [{"prefix": ""}]}}}), &event));
    }

    #[test]
    fn operators_mean_what_the_guide_says() {
        for (filter, text, expected) in [
            (json!({"prefix": "recordings/"}), "recordings/a", true),
            (json!({"prefix": "recordings/"}), "my/recordings/a", false),
            (json!({"suffix": ".tif"}), "a.tif", true),
            (json!({"suffix": ".tif"}), "a.TIF", false),
            (json!({"wildcard": "results/*/manifest.json"}), "results/a/b/c/manifest.json", true),
            (json!({"wildcard": "results/*/manifest.json"}), "results/manifest.json", false),
            (json!({"wildcard": "results/*/manifest.json"}), "results/a/manifest.json.bak", false),
            (json!({"wildcard": "*a*b*"}), "xaxbx", true),
            (json!({"wildcard": "a*a"}), "a", false),
            (json!({"wildcard": "ü*"}), "über", true),
        ] {
            assert_eq!(matches(&json!({"k": [filter.clone()]}), &json!({"k": text})), expected, "{filter} {text}");
        }
    }

    #[test]
    fn what_must_be_absent_may_be_absent_with_all_around_it() {
        let pattern = json!({"detail": {"state": [{"exists": false}, "terminated"]}});
        for (event, expected) in [
            (json!({"detail": {"state": "terminated"}}), true),
            (json!({"detail": {"state": "running"}}), false),
            (json!({"detail": {}}), true),
            (json!({}), true),
        ] {
            assert_eq!(matches(&pattern, &event), expected, "{event}");
        }
        assert!(!matches(&json!({"k": [{"exists": true}]}), &json!({})));
    }
}
