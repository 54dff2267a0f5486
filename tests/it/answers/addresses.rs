//! What strangers write into the context of a session stays in its blank: the author of a tab decides where it leads.

use loadout_tests::Done;
use loadout_tests::host::{Failure, TestHost};
use serde_json::{Value, json};
use url::Url;

const TABS: &str = "/api/v1/application-tab-templates";

/// A tab by its name, page and parameters.
fn tab(page: &str, parameters: Value) -> Value {
    json!({"name": "Tab", "pageType": page, "parameters": parameters})
}

/// A chat that opens four tabs whose addresses have blanks.
async fn chat() -> Result<TestHost, Failure> {
    let host = TestHost::with_sample().await?;
    for (name, body) in [
        (
            "new_video",
            tab("third-party-website", json!({"url": "https://video.example/room/?mode=live&group={group}"})),
        ),
        ("new_shop", tab("third-party-website", json!({"url": "https://shop-{region}.example/orders"}))),
        ("new_link", tab("third-party-website", json!({"url": "{link}"}))),
        ("new_case", tab("web-resource", json!({"webresourceName": "new_/case.html", "data": "?case={q}&mode=live"}))),
    ] {
        let put = host.put(&format!("{TABS}/{name}"), body.clone()).await?;
        assert_eq!(put.status, 201, "{put}");
        let read = host.get(&format!("{TABS}/{name}")).await?.json();
        assert_eq!(read["parameters"], body["parameters"], "as its author wrote it");
    }
    let tabs: Vec<Value> =
        ["new_video", "new_shop", "new_link", "new_case"].iter().map(|tab| json!({"template": tab})).collect();
    let template = json!({"name": "Chat", "kind": "generic", "title": "{customerName}", "tabs": tabs});
    assert_eq!(host.put("/api/v1/session-templates/new_chat", template).await?.status, 201);
    let stream = json!({"name": "Shop", "channel": "chat", "sessionTemplate": "new_chat"});
    assert_eq!(host.put("/api/v1/workstreams/new_shop_chat", stream).await?.status, 201);
    Ok(host)
}

/// The parameter of a tab, and all warnings that name it.
async fn opened(
    host: &TestHost,
    name: &str,
    parameter: &str,
    context: Value,
) -> Result<(Option<String>, String), Failure> {
    let session = json!({"workstream": "new_shop_chat", "context": context});
    let ask = json!({"user": "kayla", "app": "customer-service-workspace", "session": session});
    let answer = host.post("/api/v1/experience", ask).await?.json();
    assert_eq!(answer["session"]["title"], "Ada", "the rest of the session is there");
    let tabs = answer["session"]["tabs"].as_array().ok_or("no tabs")?;
    let tab = tabs.iter().find(|tab| tab["template"] == name);
    let text = tab.and_then(|tab| tab["parameters"][parameter].as_str()).map(str::to_owned);
    let warnings =
        answer["warnings"].as_array().into_iter().flatten().filter_map(|warning| warning["message"].as_str());
    let told: Vec<&str> = warnings.filter(|message| message.contains(name)).collect();
    Ok((text, told.join("\n")))
}

#[tokio::test]
async fn a_text_of_a_customer_fills_its_blank_and_moves_nothing() -> Done {
    let host = chat().await?;
    let group =
        async |group: &str| opened(&host, "new_video", "address", json!({"customerName": "Ada", "group": group})).await;

    let (address, told) = opened(&host, "new_video", "address", json!({"customerName": "Ada"})).await?;
    assert_eq!(address, None);
    assert_eq!(
        told,
        "tab `new_video` does not open: parameter `url` needs `{group}`, which has no value in this session"
    );
    assert_eq!(group("6f0c-44").await?.0.as_deref(), Some("https://video.example/room/?mode=live&group=6f0c-44"));
    for text in ["x&mode=admin#y z", "{customerName}", "a+b%26c", "日本 \"'<>"] {
        let (address, told) = group(text).await?;
        let address = address.ok_or(told)?;
        let url = Url::parse(&address)?;
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let expected = [("mode", "live"), ("group", text)].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!((url.host_str(), query.as_slice(), url.fragment()), (Some("video.example"), &expected[..], None));
        assert!(!address.contains(char::is_whitespace), "{address}");
    }
    Ok(())
}

#[tokio::test]
async fn no_text_leads_a_tab_to_another_host_or_runs() -> Done {
    let host = chat().await?;
    let region = async |region: &str| {
        opened(&host, "new_shop", "address", json!({"customerName": "Ada", "region": region})).await
    };
    assert_eq!(region("eu").await?.0.as_deref(), Some("https://shop-eu.example/orders"));
    for text in ["@attacker.example/", "a.b/", "x?", "x#", ""] {
        let (address, told) = region(text).await?;
        assert_eq!(address, None, "{text}");
        assert!(told.contains("`new_shop`") && told.contains("`url`") && told.contains("`{region}`"), "{told}");
    }
    let link =
        async |link: &str| opened(&host, "new_link", "address", json!({"customerName": "Ada", "link": link})).await;
    for text in ["https://ok.example/a?b=c&d=e#f", "HTTPS://ok.example"] {
        assert_eq!(link(text).await?.0.as_deref(), Some(text));
    }
    for text in
        ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "https:", "//ok.example", "https://a b/"]
    {
        let (address, told) = link(text).await?;
        assert_eq!(address, None, "{text}");
        assert!(told.contains("`new_link`") && told.contains("`{link}`"), "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_web_resource_is_told_keeps_its_keys() -> Done {
    let host = chat().await?;
    let (data, _) = opened(&host, "new_case", "data", json!({"customerName": "Ada", "q": "a b&c=d"})).await?;
    assert_eq!(data.as_deref(), Some("?case=a%20b%26c%3Dd&mode=live"));
    for (name, parameters) in [
        ("third-party-website", json!({"url": "JavaScript:alert(1)"})),
        ("web-resource", json!({"webresourceName": "new_/a.html", "data": " java\tscript:alert(1)"})),
    ] {
        let refused = host.put(&format!("{TABS}/new_bad"), tab(name, parameters)).await?;
        assert_eq!(refused.status, 409, "{refused}");
    }
    let provider =
        json!({"name": "P", "label": "P", "channelUrl": "javascript:alert(1)//https://a.example", "sortOrder": 1});
    assert_eq!(host.put("/api/v1/channel-providers/new_provider", provider).await?.status, 422);
    Ok(())
}
