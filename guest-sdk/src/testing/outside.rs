//! What a fixture answers in place of business records, knowledge search and http. A capability that the test did not
//! set up is refused, as on a host where the administrator granted nothing.

use std::collections::BTreeMap;

use super::Fixture;
use crate::{Article, HttpRequest, HttpResponse, Refusal};

/// What is outside of a fixture.
#[derive(Debug, Clone, Default)]
pub(super) struct Outside {
    /// By table, attribute and options.
    records: BTreeMap<[String; 3], String>,
    articles: Vec<(String, Article)>,
    responses: BTreeMap<String, HttpResponse>,
}

impl Fixture {
    /// Grants records, and puts one there: only a query with exactly these `entity`, `attribute` and
    /// `options` finds it.
    ///
    /// ```
    /// # use loadout_sdk::Query;
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().record("contact", "fullname", "", "Ada");
    /// let records = fixture.session().records();
    /// assert_eq!(records.find(&Query::of("contact"), "fullname")?.text(), Some("Ada"));
    /// assert_eq!(records.find(&Query::of("account"), "name")?.text(), None);
    /// # Ok::<(), loadout_sdk::Refusal>(())
    /// ```
    #[must_use]
    pub fn record(mut self, entity: &str, attribute: &str, options: &str, text: &str) -> Self {
        let asked = [entity, attribute, options].map(str::to_owned);
        self.outside.records.insert(asked, text.to_owned());
        self
    }

    /// Grants a connector, and lets it find an article with every search.
    ///
    /// ```
    /// # use loadout_sdk::Article;
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().article("wiki", Article { title: "Refunds".to_owned(), ..Article::default() });
    /// assert_eq!(fixture.session().knowledge().search("money", 5)?[0].title, "Refunds");
    /// # Ok::<(), loadout_sdk::Refusal>(())
    /// ```
    #[must_use]
    pub fn article(mut self, connector: &str, article: Article) -> Self {
        self.outside.articles.push((connector.to_owned(), article));
        self
    }

    /// Grants an address, and sets its response.
    ///
    /// ```
    /// # use loadout_sdk::{HttpRequest, HttpResponse};
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().response("https://api.contoso.com/", HttpResponse { status: 204, ..HttpResponse::default() });
    /// assert_eq!(fixture.session().send(&HttpRequest::get("https://api.contoso.com/"))?.status, 204);
    /// # Ok::<(), loadout_sdk::Refusal>(())
    /// ```
    #[must_use]
    pub fn response(mut self, url: &str, response: HttpResponse) -> Self {
        self.outside.responses.insert(url.to_owned(), response);
        self
    }
}

impl Outside {
    pub(super) fn look_up(&self, entity: &str, attribute: &str, options: &str) -> Result<Option<String>, Refusal> {
        if self.records.is_empty() {
            return Err(not_granted("records"));
        }
        Ok(self.records.get(&[entity, attribute, options].map(str::to_owned)).cloned())
    }

    pub(super) fn search(&self, connector: &str, limit: u32) -> Result<Vec<Article>, Refusal> {
        let first = self.articles.first().map(|(name, _)| name.as_str()).unwrap_or_default();
        let is_meant = |name: &str| if connector.is_empty() { name == first } else { name == connector };
        let found = self.articles.iter().filter(|(name, _)| is_meant(name)).map(|(_, article)| article.clone());
        let found: Vec<Article> = found.take(limit.try_into().unwrap_or(usize::MAX)).collect();
        if self.articles.iter().any(|(name, _)| is_meant(name)) { Ok(found) } else { Err(not_granted("articles")) }
    }

    pub(super) fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
        self.responses.get(&request.url).cloned().ok_or_else(|| not_granted("answer from there"))
    }
}

fn not_granted(what: &str) -> Refusal {
    Refusal { code: "not-granted".to_owned(), message: format!("the fixture has no {what}") }
}
