//! The pods of a resource: what in them leads to another model than the resource names.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::known;
use super::names;
use super::part::Part;
use super::review::shown;
use super::words::{self, Inside, Word};

/// Keys of annotations and labels by which KServe tells itself what to do.
pub(super) const INTERNAL: &str = "internal.serving.kserve.io/";
/// The variable that names the model of a container of one's own.
pub(super) const STORAGE_URI: &str = "STORAGE_URI";

/// Names of containers that KServe puts into a pod to fetch its model. It takes one of that name
/// for its own, and then fetches nothing.
const FETCHING: [&str; 2] = ["storage-initializer", "modelcar"];
/// Starts of the names of volumes that KServe lays models down in.
const VOLUMES: [&str; 5] =
    ["kserve-provision-location", "kserve-pvc-source", "modelcar", "oci-model", "oci-fetch-model"];

/// Annotations or labels.
pub(super) type Marks = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) value_from: Option<IgnoredAny>,
}

impl Variable {
    /// Its value, when it is written where it stands.
    pub(super) fn known(&self) -> Option<&str> {
        self.value.as_deref().filter(|_| self.value_from.is_none())
    }
}

/// Everything in a pod that KServe itself would take for an order.
pub(super) fn refuse_orders(pod: &Part<'_>, inside: &Inside<'_>) -> Result<(), String> {
    refuse_marks(pod)?;
    for volume in pod.parts("volumes")? {
        refuse_volume(&volume)?;
    }
    for container in containers(pod)? {
        refuse_mounts(&container, inside)?;
    }
    Ok(())
}

/// The containers of a pod, of both kinds.
pub(super) fn containers<'a>(pod: &Part<'a>) -> Result<Vec<Part<'a>>, String> {
    let mut all = Vec::new();
    for list in ["initContainers", "containers"] {
        for container in pod.parts(list)? {
            let container = container.only(&[known::CONTAINER])?;
            let name: Option<String> = container.get("name")?;
            if name.is_some_and(|name| FETCHING.iter().any(|own| name.starts_with(own))) {
                return Err(format!(
                    "{}: a container of this name stands for the one by which KServe fetches the model; give it another",
                    container.place()
                ));
            }
            all.push(container);
        }
    }
    Ok(all)
}

fn refuse_marks(pod: &Part<'_>) -> Result<(), String> {
    for list in ["annotations", "labels"] {
        let marks: Option<Marks> = pod.get(list)?;
        if let Some(key) = marks.iter().flatten().map(|(key, _)| key).find(|key| is_internal(key)) {
            return Err(internal(&pod.at(list), key));
        }
    }
    Ok(())
}

pub(super) fn is_internal(key: &str) -> bool {
    key.starts_with(INTERNAL)
}

pub(super) fn internal(place: &str, key: &str) -> String {
    format!(
        "{place}: `{}` can lead to another model than the resource names; remove it",
        shown(key)
    )
}

fn refuse_volume(volume: &Part<'_>) -> Result<(), String> {
    let name: Option<String> = volume.get("name")?;
    if name.is_some_and(|name| VOLUMES.iter().any(|own| name.starts_with(own))) {
        return Err(format!(
            "{}: a volume of this name is what KServe lays the model down in; give it another",
            volume.place()
        ));
    }
    Ok(())
}

/// What is mounted where a model lies hides it.
pub(super) fn refuse_mounts(container: &Part<'_>, inside: &Inside<'_>) -> Result<(), String> {
    for (list, field) in [("volumeMounts", "mountPath"), ("volumeDevices", "devicePath")] {
        for mount in container.parts(list)? {
            refuse_volume(&mount)?;
            let path: Option<String> = mount.get(field)?;
            if let Some(path) = path.filter(|path| inside.meets(path)) {
                return Err(format!(
                    "{}: what is mounted at `{}` can stand in the place of the model; mount it elsewhere",
                    mount.place(),
                    shown(&path)
                ));
            }
        }
    }
    Ok(())
}

/// What the server of a model is told, where that leads it to another one.
pub(super) fn refuse_words(server: &Part<'_>, inside: &Inside<'_>) -> Result<(), String> {
    let list = |part: &Part<'_>, name: &str| -> Result<Told, String> {
        Ok((part.at(name), part.get(name)?.unwrap_or_default()))
    };
    // One program is told both, as if they were one list.
    let (command, arguments) = (list(server, "command")?, list(server, "args")?);
    refuse_variables_in(&command, inside)?;
    refuse_variables_in(&arguments, inside)?;
    refuse_told(&command, &arguments, inside)?;
    for exec in run_beside(server)? {
        refuse_told(&list(&exec, "command")?, &Told::default(), inside)?;
    }
    refuse_variables(server, inside)
}

/// Words, and the place where they stand.
type Told = (String, Vec<String>);

/// What is run in a container beside its server.
fn run_beside<'a>(server: &Part<'a>) -> Result<Vec<Part<'a>>, String> {
    let mut handlers = Vec::new();
    if let Some(lifecycle) = server.part("lifecycle")? {
        let lifecycle = lifecycle.only(&[known::LIFECYCLE])?;
        for hook in ["postStart", "preStop"] {
            if let Some(hook) = lifecycle.part(hook)? {
                handlers.push(hook.only(&[known::HANDLER])?);
            }
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = server.part(probe)? {
            handlers.push(probe.only(&[known::HANDLER, known::PROBE])?);
        }
    }
    let mut run = Vec::new();
    for handler in handlers {
        run.extend(handler.part("exec")?);
    }
    Ok(run)
}

/// Refuses what Kubernetes fills in. It does so for the server of a container alone.
fn refuse_variables_in((place, words): &Told, inside: &Inside<'_>) -> Result<(), String> {
    match words.iter().find(|word| !inside.placeholders && word.contains("$(")) {
        None => Ok(()),
        Some(word) => Err(format!(
            "{place}: what stands for a variable in `{}` cannot be told; write out what it stands for",
            shown(word)
        )),
    }
}

/// Refuses the words of a command and of its arguments that lead elsewhere.
fn refuse_told(command: &Told, arguments: &Told, inside: &Inside<'_>) -> Result<(), String> {
    let words = || {
        let lists = [(command, false), (arguments, true)];
        lists.into_iter().flat_map(|((place, words), argument)| {
            words.iter().map(move |text| (place, Word { text, argument }))
        })
    };
    let Some(found) = words::elsewhere(words().map(|(_, word)| word), inside) else {
        return Ok(());
    };
    let place = words().nth(found.at).map_or("", |(place, _)| place);
    Err(format!(
        "{place}: `{}` can lead to another model than the address; {}",
        shown(found.word),
        found.mend
    ))
}

/// The variables of a server, where they lead it to another model.
fn refuse_variables(server: &Part<'_>, inside: &Inside<'_>) -> Result<(), String> {
    for variable in variables(server)? {
        let Variable { name, .. } = &variable;
        if name == STORAGE_URI {
            continue;
        }
        let names = names::variable_names_model(name);
        let found = |text| words::elsewhere(std::iter::once(Word::plain(text)), inside).is_some();
        let leads = match variable.known() {
            Some(value) => {
                let assigned = format!("{name}={value}");
                // What a variable is for stands where it is used, which may be another resource.
                names && found(&assigned) || found(value)
            }
            None if variable.value_from.is_none() => false,
            None => names || names::variable_holds_arguments(name),
        };
        if leads {
            return Err(format!(
                "{}: the variable `{}` can lead to another model than the address; leave it out",
                server.at("env"),
                shown(name)
            ));
        }
    }
    let from: Option<Vec<IgnoredAny>> = server.get("envFrom")?;
    if from.is_some_and(|from| !from.is_empty()) {
        return Err(format!(
            "{}: variables whose names cannot be seen can lead to another model than the address; name them one by one under `env`",
            server.at("envFrom")
        ));
    }
    Ok(())
}

pub(super) fn variables(server: &Part<'_>) -> Result<Vec<Variable>, String> {
    Ok(server.get("env")?.unwrap_or_default())
}
