//! What is made of a server that does not do as MLflow does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hyper::HeaderMap;
use lockgate::decision::Naming;
use lockgate::registry::mlflow::{Caller, Client, Move, RegistryError};

/// A server that gives these answers, one after the other, to whatever is asked; the last again
/// and again. Its address, and the requests that come.
fn answering(answers: Vec<Vec<u8>>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let stream = stream.unwrap();
            let _ = sender.send(request(&stream));
            let answer = answers.get(count).or(answers.last());
            match answer {
                Some(answer) => drop((&stream).write_all(answer)),
                // Holds the connection open and says nothing.
                None => std::mem::forget(stream),
            }
        }
    });
    (url, receiver)
}

fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

const MODEL: &str = r#"{"registered_model": {"name": "m"}}"#;

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn ask(url: &str) -> Result<(), RegistryError> {
    let client = Client::new(url).unwrap().within(Duration::from_secs(5));
    block_on(client.registered_model(&Caller::default(), "m")).map(drop)
}

#[test]
fn a_read_is_tried_three_times_in_all() {
    let down = answer("503 Service Unavailable", "");
    let (url, requests) = answering(vec![down.clone(), down.clone(), answer("200 OK", MODEL)]);
    assert_eq!(ask(&url), Ok(()));
    assert_eq!(requests.try_iter().count(), 3);
    let (url, requests) = answering(vec![down]);
    assert!(ask(&url).unwrap_err().to_string().contains("503"));
    assert_eq!(requests.try_iter().count(), 3);
}

#[test]
fn a_write_is_tried_once() {
    let (url, requests) = answering(vec![answer("503 Service Unavailable", "")]);
    let client = Client::new(&url).unwrap();
    let nobody = Caller::default();
    let set = client.set_version_tag(&nobody, "m", "1", ("k", "v"));
    assert!(block_on(set).is_err());
    let sent: Vec<String> = requests.try_iter().collect();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains(r#""key":"k""#), "{sent:?}");
}

#[test]
fn a_redirect_is_not_followed() {
    let (elsewhere, reached) = answering(vec![answer("200 OK", MODEL)]);
    let redirect =
        format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");
    let (url, _requests) = answering(vec![redirect.into_bytes()]);
    assert!(ask(&url).unwrap_err().to_string().contains("redirect"));
    assert_eq!(reached.try_iter().count(), 0);
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let body = "[".repeat(17 << 20);
    let (url, _requests) = answering(vec![answer("200 OK", &body)]);
    assert!(matches!(ask(&url), Err(RegistryError::TooLarge { .. })));
}

#[test]
fn a_server_that_says_nothing_is_given_up_on() {
    let (url, _requests) = answering(Vec::new());
    let client = Client::new(&url).unwrap().within(Duration::from_millis(200));
    let asked = block_on(client.registered_model(&Caller::default(), "m"));
    assert!(matches!(asked, Err(RegistryError::TimedOut { .. })), "{asked:?}");
}

#[test]
fn an_answer_that_means_two_things_is_not_used() {
    for body in [
        r#"{"registered_model": {"name": "m", "name": "n"}}"#,
        r#"{"registered_model": {"name": "M"}}"#,
        r#"{"registered_model": {"name": "m"}"#,
        r#"{"registered_model": {"name": 1}}"#,
        r#"{}"#,
        "<html>",
    ] {
        let (url, _requests) = answering(vec![answer("200 OK", body)]);
        assert!(matches!(ask(&url), Err(RegistryError::Unusable { .. })), "{body}");
    }
}

#[test]
fn a_file_list_that_leads_out_of_the_folder_is_refused() {
    let run = r#"{"run": {"info": {"run_id": "r", "artifact_uri": "x:/r"}}}"#;
    let list = r#"{"files": [{"path": "lockgate/../../secrets.json", "is_dir": false}]}"#;
    // The version and its model are asked for at once, in any order, so one answer does for both.
    let both = format!(
        r#"{{"model_version": {{"name": "m", "version": "1", "run_id": "r", "source": "runs:/r/model"}}, {}"#,
        &MODEL[1..]
    );
    let files = r#"{"artifact_uri": "runs:/r/model"}"#;
    let answers = [both.as_str(), &both, files, run, list].map(|body| answer("200 OK", body));
    let (url, _requests) = answering(answers.to_vec());
    let client = Client::new(&url).unwrap();
    let naming = Naming::default();
    let moved = Move::asked("m", "1", &"alias:a".parse().unwrap(), &naming);
    let collected = block_on(client.collect(&Caller::default(), &moved, &naming, Vec::new()));
    let told = collected.unwrap_err()[0].to_string();
    assert!(told.contains("no file right below it"), "{told}");
}

#[test]
fn asks_in_the_name_and_the_workspace_of_the_caller() {
    let (url, requests) = answering(vec![answer("200 OK", MODEL)]);
    let mut headers = HeaderMap::new();
    for (name, value) in
        [("authorization", "Bearer t0ken"), ("x-mlflow-workspace", "risk"), ("x-other", "x")]
    {
        headers.insert(name, value.parse().unwrap());
    }
    let client = Client::new(&format!("{url}/prefix/")).unwrap();
    block_on(client.registered_model(&Caller::of(&headers), "a&b=c/d")).unwrap_err();
    let sent = requests.recv().unwrap();
    assert!(
        sent.starts_with("GET /prefix/api/2.0/mlflow/registered-models/get?name=a%26b%3Dc%2Fd "),
        "{sent}"
    );
    assert!(
        sent.contains("authorization: Bearer t0ken") && sent.contains("x-mlflow-workspace: risk")
    );
    assert!(!sent.contains("x-other"), "{sent}");
}
