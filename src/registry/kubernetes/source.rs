//! Where a resource takes a model from.

/// Where a model is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) place: String,
    address: Option<String>,
    /// The rest of what says where it is.
    storage: Option<Storage>,
}

/// A place in the storage that a secret tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: Option<String>,
    pub(super) path: Option<String>,
}

impl Source {
    /// What an address names, if there is one.
    pub(super) fn at(place: &str, address: Option<String>) -> Self {
        Self { place: place.to_owned(), address, storage: None }
    }

    /// What an address, or a place in a storage, names. The latter is written
    /// `storage:KEY/PATH`.
    pub(super) fn stored(place: &str, address: Option<String>, storage: Option<Storage>) -> Self {
        let in_storage = |storage: &Storage| {
            let key = storage.key.as_deref().unwrap_or("default");
            Some(format!("storage:{key}/{}", storage.path.as_deref()?))
        };
        let address = address.or_else(|| storage.as_ref().and_then(in_storage));
        Self { place: place.to_owned(), address, storage }
    }

    /// Whether two are of one model, wherever in the resource they stand. What cannot be told is
    /// never the same.
    pub(super) fn same_model(&self, other: &Self) -> bool {
        self.address.is_some() && self.address == other.address && self.storage == other.storage
    }

    /// The address of the model's files.
    pub(super) fn address(&self) -> Result<&str, String> {
        self.address.as_deref().ok_or_else(|| {
            format!("{} does not say which version of a model it serves; give it a `storageUri` such as `models:/NAME/VERSION`", self.place)
        })
    }

    /// The address that a resource itself names, and no storage that a secret tells of.
    pub(super) fn named(&self) -> Option<&str> {
        self.address.as_deref().filter(|_| self.storage.is_none())
    }

    /// Whether it is the one model of a resource, of which KServe may hold a copy on its nodes.
    pub(super) fn is_main(&self) -> bool {
        self.place == "spec.model"
            || self.place.starts_with("spec.predictor.") && !self.place.contains("storageUris")
    }
}
