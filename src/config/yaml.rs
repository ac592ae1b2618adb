use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::diagnostic::{Place, Problem, quoted};
use super::scalar;

/// How deep lists and mappings may nest. Everything that walks the tree recurses, so this bounds
/// the stack; a gate file nests some ten deep.
const MOST_DEPTH: usize = 64;

/// Weight of a whole file once its aliases are expanded: one a value, and one more for every
/// [`TEXT_PER_WEIGHT`] bytes of text. A mebibyte of YAML without aliases stays below it unless it
/// is mostly punctuation, and aliases of aliases do not get far.
const MOST_WEIGHT: usize = 100_000;
const TEXT_PER_WEIGHT: usize = 64;

/// A value of the file that knows where it stands. An alias shares the anchored value.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    /// Line and column behind its last character, from 1. Of a list or mapping that is not in
    /// brackets, somewhere in what comes next.
    pub(super) end: (usize, usize),
    weight: usize,
    /// Levels below and including this one.
    height: usize,
    content: Arc<Content>,
}

#[derive(Debug)]
enum Content {
    Scalar(Value),
    Sequence(Vec<Node>),
    Mapping(BTreeMap<String, Entry>),
}

#[derive(Debug)]
struct Entry {
    key_place: Place,
    value: Node,
}

/// Reads one YAML document, in messages `whole`; `empty` is what to do about a file without one.
///
/// Problems that leave the rest readable do not stop it: a tree may come with problems, and no tree
/// never comes without.
pub(super) fn read(text: &str, whole: &str, empty: &str) -> (Option<Node>, Vec<Problem>) {
    let mut reader = Reader {
        open: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        problems: Vec::new(),
        weight: 0,
    };
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(text);
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((Event::DocumentStart(_), span)) if documents > 0 => {
                let message =
                    format!("the file holds a second document; keep one {whole} in a file");
                Err(Problem::new(Some(place_of(span)), message))
            }
            Ok((Event::DocumentStart(_), _)) => {
                documents += 1;
                Ok(())
            }
            Ok((event, span)) => reader.take(event, span),
            Err(error) => Err(not_yaml(&error)),
        };
        if let Err(problem) = step {
            reader.problems.push(problem);
            return (None, reader.problems);
        }
    }
    if reader.root.is_none() && reader.problems.is_empty() {
        let message = format!("the file is empty; {empty}");
        reader.problems.push(Problem::new(None, message));
    }
    (reader.root, reader.problems)
}

fn not_yaml(error: &ScanError) -> Problem {
    let marker = error.marker();
    let place = Place { line: marker.line(), column: marker.col() + 1, width: 1 };
    let problem = Problem::new(Some(place), format!("not valid YAML: {}", error.info()));
    if error.info().contains("anchor") {
        problem.hint("quote a pattern that begins with `*`: \"*\"")
    } else {
        problem
    }
}

fn place_of(span: Span) -> Place {
    let same_line = span.start.line() == span.end.line();
    let width = if same_line { span.end.col().saturating_sub(span.start.col()) } else { 1 };
    Place { line: span.start.line(), column: span.start.col() + 1, width: width.max(1) }
}

/// Behind the closing bracket, whose span goes on to the end of its line.
fn end_of_brackets(span: Span) -> (usize, usize) {
    (span.start.line(), span.start.col() + 2)
}

fn end_of(span: Span) -> (usize, usize) {
    (span.end.line(), span.end.col() + 1)
}

fn text_weight(text: &str) -> usize {
    text.len() / TEXT_PER_WEIGHT
}

/// Builds the tree from the parser's events, without recursion.
struct Reader {
    open: Vec<Open>,
    /// Finished values by the parser's id of their anchor.
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    problems: Vec<Problem>,
    weight: usize,
}

/// A list or mapping that has begun.
struct Open {
    place: Place,
    anchor: usize,
    items: Items,
}

enum Items {
    Sequence(Vec<Node>),
    Mapping { entries: BTreeMap<String, Entry>, key: Option<(String, Place)> },
}

impl Reader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let place = place_of(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), place);
                self.scalar(&text, style, anchor, (place, end_of(span)))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), place);
                self.open(Open { place, anchor, items: Items::Sequence(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), place);
                let items = Items::Mapping { entries: BTreeMap::new(), key: None };
                self.open(Open { place, anchor, items })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place, end_of_brackets(span)),
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, place: Place) {
        if tag.is_some() {
            let message = "tags are not read here; write the plain value";
            self.problems.push(Problem::new(Some(place), message));
        }
    }

    /// Whether the next value is a key.
    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { items: Items::Mapping { key: None, .. }, .. }))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        (place, end): (Place, (usize, usize)),
    ) -> Result<(), Problem> {
        self.weigh(1 + text_weight(text), place)?;
        let plain = style == ScalarStyle::Plain;
        if self.expects_key() {
            if plain && text == "<<" {
                let message = "merge keys are not read here; write the keys out";
                self.problems.push(Problem::new(Some(place), message));
            } else if plain && text.is_empty() {
                self.problems.push(Problem::new(Some(place), "a key is missing before `:`"));
            }
            self.key(text.to_owned(), place);
            return Ok(());
        }
        let value = if plain { scalar::plain(text) } else { Ok(Value::String(text.to_string())) };
        let value = value.unwrap_or_else(|reason| {
            let message = format!("{} {reason}", quoted(text));
            self.problems.push(Problem::new(Some(place), message));
            Value::Null
        });
        let content = Arc::new(Content::Scalar(value));
        let node = Node { place, end, weight: 1 + text_weight(text), height: 1, content };
        self.finish(node, anchor)
    }

    fn key(&mut self, text: String, place: Place) {
        let Some(Open { items: Items::Mapping { entries, key }, .. }) = self.open.last_mut() else {
            return;
        };
        if let Some(Entry { key_place: first, .. }) = entries.get(&text) {
            let message =
                format!("key {} is given twice; first on line {}", quoted(&text), first.line);
            self.problems.push(Problem::new(Some(place), message));
        }
        *key = Some((text, place));
    }

    fn open(&mut self, open: Open) -> Result<(), Problem> {
        self.weigh(1, open.place)?;
        if self.expects_key() {
            return Err(Problem::new(Some(open.place), "a key must be text"));
        }
        if self.open.len() >= MOST_DEPTH {
            return Err(too_deep(open.place));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, place: Place, end: (usize, usize)) -> Result<(), Problem> {
        let Some(Open { place, anchor, items }) = self.open.pop() else {
            return Err(Problem::new(Some(place), "not valid YAML: nothing to close here"));
        };
        let (height, weight, content) = match items {
            Items::Sequence(nodes) => {
                let height = nodes.iter().map(|node| node.height).max();
                let weight: usize = nodes.iter().map(|node| node.weight).sum();
                (height, weight, Content::Sequence(nodes))
            }
            Items::Mapping { entries, .. } => {
                let height = entries.values().map(|entry| entry.value.height).max();
                let weigh =
                    |(key, entry): (&String, &Entry)| 1 + text_weight(key) + entry.value.weight;
                let weight: usize = entries.iter().map(weigh).sum();
                (height, weight, Content::Mapping(entries))
            }
        };
        let (height, content) = (1 + height.unwrap_or(0), Arc::new(content));
        self.finish(Node { place, end, weight: 1 + weight, height, content }, anchor)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Problem> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Problem::new(Some(place), "an alias inside the value it stands for"));
        };
        if self.expects_key() {
            return Err(Problem::new(Some(place), "a key must be text, not an alias"));
        }
        if self.open.len() + node.height > MOST_DEPTH {
            return Err(too_deep(place));
        }
        self.weigh(node.weight, place)?;
        self.finish(node, 0)
    }

    fn weigh(&mut self, weight: usize, place: Place) -> Result<(), Problem> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MOST_WEIGHT {
            let message =
                format!("the file holds more than {MOST_WEIGHT} values, aliases expanded");
            return Err(Problem::new(Some(place), message));
        }
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        // The parser counts anchors from 1; 0 stands for none.
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { items: Items::Sequence(nodes), .. }) => nodes.push(node),
            Some(Open { items: Items::Mapping { entries, key }, .. }) => {
                let Some((key, key_place)) = key.take() else {
                    return Err(Problem::new(Some(node.place), "a key must be text"));
                };
                entries.entry(key).or_insert(Entry { key_place, value: node });
            }
        }
        Ok(())
    }
}

fn too_deep(place: Place) -> Problem {
    Problem::new(Some(place), format!("lists and mappings nest more than {MOST_DEPTH} deep"))
}

impl Node {
    /// The value as JSON. Of a key given twice, the first counts.
    pub(super) fn to_value(&self) -> Value {
        match &*self.content {
            Content::Scalar(value) => value.clone(),
            Content::Sequence(nodes) => nodes.iter().map(Self::to_value).collect(),
            Content::Mapping(entries) => {
                let pairs =
                    entries.iter().map(|(key, entry)| (key.clone(), entry.value.to_value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// How many items or entries it has.
    pub(super) fn len(&self) -> usize {
        match &*self.content {
            Content::Scalar(_) => 0,
            Content::Sequence(nodes) => nodes.len(),
            Content::Mapping(entries) => entries.len(),
        }
    }

    /// The value at a JSON pointer.
    pub(super) fn find(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |node, segment| match &*node.content {
            Content::Scalar(_) => None,
            Content::Sequence(nodes) => nodes.get(segment.parse::<usize>().ok()?),
            Content::Mapping(entries) => {
                let key = segment.replace("~1", "/").replace("~0", "~");
                entries.get(&key).map(|entry| &entry.value)
            }
        })
    }

    /// Where the key stands in the mapping at a JSON pointer.
    pub(super) fn find_key(&self, pointer: &str, key: &str) -> Option<Place> {
        match &*self.find(pointer)?.content {
            Content::Mapping(entries) => entries.get(key).map(|entry| entry.key_place),
            Content::Scalar(_) | Content::Sequence(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> (Option<Node>, Vec<Problem>) {
        super::read(text, "gate file", "write one")
    }

    fn accepted(text: &str) -> Value {
        let (node, problems) = read(text);
        assert_eq!(problems, [], "{text}");
        node.unwrap().to_value()
    }

    fn refused(text: &str) -> Problem {
        read(text).1.into_iter().next().unwrap_or_else(|| panic!("accepted {text}"))
    }

    #[test]
    fn reads_block_and_flow_styles() {
        let value = accepted("a: [1, {b: no}]\nc:\n  - 'x: y'\n  - |\n    d\n");
        assert_eq!(value, json!({"a": [1, {"b": "no"}], "c": ["x: y", "d\n"]}));
    }

    #[test]
    fn reads_json() {
        let text = r#"{"version": 1, "gates": [{"name": "a\u00e9/", "max": 1.5e3, "none": null}]}"#;
        assert_eq!(accepted(text), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn expands_aliases() {
        assert_eq!(accepted("a: &x [1, 2]\nb: *x"), json!({"a": [1, 2], "b": [1, 2]}));
    }

    #[test]
    fn rejects_aliases_of_aliases_that_grow() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..20 {
            let below = level - 1;
            let aliases = vec![format!("*a{below}"); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(refused(&text).message.contains("more than 100000 values"));
    }

    #[test]
    fn rejects_a_long_text_that_aliases_repeat() {
        let text = format!("a: &a {}\nb: [{}]", "x".repeat(500_000), "*a, ".repeat(50));
        assert!(refused(&text).message.contains("more than 100000 values"));
    }

    #[test]
    fn rejects_an_alias_within_its_own_value() {
        assert!(refused("&a [*a]").message.contains("inside the value"));
    }

    #[test]
    fn rejects_deep_nesting_also_through_aliases() {
        for text in [
            "[".repeat(200),
            "- ".repeat(1000),
            "{a: ".repeat(100),
            format!(
                "- &a {}{}\n- {}*a{}",
                "[".repeat(40),
                "]".repeat(40),
                "[".repeat(40),
                "]".repeat(40)
            ),
        ] {
            assert!(refused(&text).message.contains("64 deep"), "{}", &text[..20]);
        }
    }

    #[test]
    fn rejects_duplicate_keys_and_names_the_first() {
        let problem = refused("a: 1\nb: 2\n\"a\": 3");
        assert_eq!(problem.message, "key `a` is given twice; first on line 1");
        assert_eq!(problem.place, Some(Place { line: 3, column: 1, width: 3 }));
    }

    #[test]
    fn rejects_what_has_no_place_in_a_gate_file() {
        for (text, word) in [
            ("a: !!int 1", "tags"),
            ("a: !x [1]", "tags"),
            ("<<: {a: 1}", "merge keys"),
            ("a: 1\n---\nb: 2", "second document"),
            ("? [a]\n: b", "key must be text"),
            ("a: &x k\n*x : b", "key must be text"),
            (": b", "key is missing"),
            ("a: .nan", "not a number"),
            ("", "empty"),
            ("# only a comment", "empty"),
            ("a: [*]", "not valid YAML"),
        ] {
            assert!(refused(text).message.contains(word), "{text}: {}", refused(text).message);
        }
    }

    #[test]
    fn knows_where_values_end() {
        let node = read("a: [x, {b: é}]   # why\nc: word   # not\n").0.unwrap();
        let end = |pointer: &str| node.find(pointer).map(|node| node.end);
        assert_eq!(end("/a"), Some((1, 15)));
        assert_eq!(end("/a/1"), Some((1, 14)));
        assert_eq!(end("/c"), Some((2, 8)));
    }

    #[test]
    fn finds_places_of_values_and_keys() {
        let node = read("gates:\n  - name: a\n    a/b: [x, é, z]\n").0.unwrap();
        let place =
            |pointer: &str| node.find(pointer).map(|node| (node.place.line, node.place.column));
        assert_eq!(place("/gates/0/name"), Some((2, 11)));
        assert_eq!(place("/gates/0/a~1b/2"), Some((3, 17)));
        assert_eq!(place("/gates/1"), None);
        assert_eq!(place("/gates/0/name/x"), None);
        assert_eq!(
            node.find_key("/gates/0", "a/b").map(|place| (place.line, place.column)),
            Some((3, 5))
        );
    }
}
