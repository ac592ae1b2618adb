//! MLflow's web page behind the gateway, in Chromium.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::promoting::{Model, model};
use crate::server::{Mlflow, send};

/// A headless browser that does what it is told, by the WebDriver protocol.
struct Browser {
    driver: Child,
    url: String,
    session: String,
}

impl Browser {
    fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("no chromedriver; run scripts/setup.sh test");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port: u16 = lines
            .map_while(Result::ok)
            .find_map(|line| {
                let port = line.split("on port ").nth(1)?;
                port.trim_end_matches('.').parse().ok().filter(|port| *port != 0)
            })
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let options = json!({"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1400,1000"]});
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}});
        let (status, answer) =
            send(&url, "POST", "/session", Some(wanted.to_string().into_bytes()));
        assert_eq!(status, 200, "{answer}");
        let session = answer["value"]["sessionId"].as_str().unwrap().to_owned();
        Self { driver, url, session }
    }

    fn tell(&self, method: &str, what: &str, body: &Value) -> (u16, Value) {
        let path = format!("/session/{}{what}", self.session);
        let body = (method == "POST").then(|| body.to_string().into_bytes());
        let (status, answer) = send(&self.url, method, &path, body);
        (status, answer["value"].clone())
    }

    fn open(&self, url: &str) {
        let (status, answer) = self.tell("POST", "/url", &json!({"url": url}));
        assert_eq!(status, 200, "{answer}");
    }

    /// Waits for an element by XPath.
    fn element(&self, path: &str) -> String {
        let start = Instant::now();
        loop {
            let (status, answer) =
                self.tell("POST", "/element", &json!({"using": "xpath", "value": path}));
            if status == 200 {
                return answer
                    .as_object()
                    .unwrap()
                    .values()
                    .next()
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .to_owned();
            }
            assert!(start.elapsed() < Duration::from_secs(90), "{path}: {}", self.text());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn click(&self, path: &str) {
        let start = Instant::now();
        loop {
            let element = self.element(path);
            let (status, answer) =
                self.tell("POST", &format!("/element/{element}/click"), &json!({}));
            if status == 200 {
                return;
            }
            // It may be covered, or drawn anew, for a moment.
            assert!(start.elapsed() < Duration::from_secs(30), "{path}: {answer}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn write(&self, path: &str, text: &str) {
        let element = self.element(path);
        let (status, answer) =
            self.tell("POST", &format!("/element/{element}/value"), &json!({"text": text}));
        assert_eq!(status, 200, "{answer}");
    }

    fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    fn run(&self, script: &str) -> Value {
        self.tell("POST", "/execute/sync", &json!({"script": script, "args": []})).1
    }

    /// Waits until the page shows all of `parts`.
    fn shows(&self, parts: &[&str]) {
        let start = Instant::now();
        loop {
            let text = self.text();
            let Some(missing) = parts.iter().find(|part| !text.contains(**part)) else { return };
            assert!(start.elapsed() < Duration::from_secs(60), "`{missing}` is not on: {text}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Keeps a picture of the page for whoever wants to see it.
    fn picture(&self, name: &str) {
        use base64::Engine as _;
        let (status, answer) = self.tell("GET", "/screenshot", &Value::Null);
        assert_eq!(status, 200);
        let picture = base64::engine::general_purpose::STANDARD.decode(answer.as_str().unwrap());
        let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/pages");
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(format!("{folder}/{name}.png"), picture.unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = send(&self.url, "DELETE", &format!("/session/{}", self.session), None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[test]
fn the_page_shows_why_an_alias_was_denied() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let Model { name, .. } = &model(&mlflow, "page");
    let browser = Browser::start();
    browser.open(&format!("{}/#/models/{name}/versions/2", gateway.url));
    browser.element("//*[contains(text(), 'Version 2')]");
    browser.picture("version");
    browser.click("//*[@data-testid='model-alias-editor']//button | //button[contains(., 'Add') and ancestor::*[contains(., 'Aliases')]]");
    browser.write("//div[@role='dialog']//input", "champion\u{e007}");
    browser.picture("dialog");
    browser.click("//div[@role='dialog']//button[contains(., 'Save')]");
    browser.element("//*[contains(text(), 'lockgate denies')]");
    browser.picture("denied");
    let text = browser.text();
    for part in ["lockgate denies", "alias:champion", "val_auc", "at least 0.9", "waiver"] {
        assert!(text.contains(part), "`{part}` is not on the page: {text}");
    }
    assert_eq!(mlflow.alias(name, "champion"), None);
}

/// The page has stages only in its older look.
#[test]
fn the_page_shows_why_a_stage_was_denied_and_the_one_that_was_allowed() {
    const OLDER: &str = "_mlflow_user_setting_dismiss_next_model_registry_ui";
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let Model { name, .. } = &model(&mlflow, "page-stage");
    let browser = Browser::start();
    browser.open(&gateway.url);
    browser.run(&format!("localStorage.setItem('{OLDER}', 'true')"));
    let transition = |version: &str| {
        // Another address of the same page would not be loaded anew.
        browser.open("about:blank");
        browser.open(&format!("{}/#/models/{name}/versions/{version}", gateway.url));
        browser.element(&format!("//*[contains(text(), 'Version {version}')]"));
        browser.click("//*[contains(@class, 'stage-transition-dropdown')]");
        browser.click(
            "//*[@role='menuitem' and contains(., 'Transition to') and contains(., 'Production')]",
        );
        browser.click("//div[@role='dialog']//button[contains(., 'OK')]");
    };
    transition("2");
    browser.shows(&["lockgate denies", "stage:Production", "val_auc", "at least 0.9", "waiver"]);
    browser.picture("stage-denied");
    let stage = |version: &str| {
        let route = format!("model-versions/get?name={name}&version={version}");
        mlflow.get(&route)["model_version"]["current_stage"].as_str().unwrap().to_owned()
    };
    assert_eq!(stage("2"), "None");
    transition("1");
    browser
        .element("//*[contains(@class, 'stage-transition-dropdown')][contains(., 'Production')]");
    browser.picture("stage-allowed");
    assert_eq!(stage("1"), "Production");
}

#[test]
fn the_page_shows_why_promote_was_denied_and_the_copy_that_was_allowed() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let Model { name, .. } = &model(&mlflow, "page-promote");
    let prod = format!("prod.{name}");
    mlflow.model(&prod);
    let browser = Browser::start();
    let promote = |version: &str| {
        browser.open("about:blank");
        browser.open(&format!("{}/#/models/{name}/versions/{version}", gateway.url));
        browser.element(&format!("//*[contains(text(), 'Version {version}')]"));
        browser.click("//button[contains(., 'Promote model')]");
        browser.write("//div[@role='dialog']//input[@role='combobox']", &prod);
        browser.click(&format!(
            "//*[contains(@class, 'select-item-option') and contains(., '{prod}')]"
        ));
        browser.click("//div[@role='dialog']//button[contains(., 'Promote')]");
    };
    let copies = || {
        let answer = mlflow.get(&format!("registered-models/get?name={prod}"));
        answer["registered_model"]["latest_versions"].as_array().map_or(0, Vec::len)
    };
    promote("2");
    browser.shows(&["lockgate denies", "env:prod", "val_auc", "at least 0.9", "waiver"]);
    browser.picture("promote-denied");
    assert_eq!(copies(), 0);
    promote("1");
    gateway.until("the copy is there", || copies() == 1);
    // It goes on to the page of the copy.
    browser.element(&format!(
        "//a[@data-testid='breadcrumbRegisteredModel' and contains(., '{prod}')]"
    ));
    browser.picture("promote-allowed");
}
