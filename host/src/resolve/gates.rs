//! Gates: the conditions under which tools, channels, views and features appear (domain 3.3, ruling 8.26). Names the
//! first gate that is shut.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::experience::{
    ActiveChannels, ActiveCopilot, Gate, HiddenBy, HiddenChannel, HiddenFeature, HiddenView, Outcome, Provider,
    VisibleInbox,
};
use crate::domain::{
    Channel, ChannelProvider, Environment, InboxRecordType, Item, PaneTool, PlacedTool, Profile, SecurityRole,
    Workstream, address,
};
use crate::store::Snapshot;

use super::Facts;
use super::explain::{Account, line};

/// The switch of the environment that turns off every generative helper.
const COPILOT_SWITCH: &str = "copilot";

/// A person needs one of these roles to work on channels.
const CHANNEL_ROLES: [&str; 3] = ["Omnichannel agent", "Omnichannel supervisor", "Omnichannel administrator"];

/// Returns the roles a person was given and the roles contained in them, at any depth.
pub(super) fn expand(snapshot: &Snapshot, given: &BTreeSet<crate::domain::Name<SecurityRole>>) -> BTreeSet<Arc<str>> {
    let mut held: BTreeSet<Arc<str>> = given.iter().map(|role| Arc::clone(role.shared())).collect();
    let mut waiting: Vec<_> = given.iter().collect();
    while let Some(role) = waiting.pop() {
        // Each role waits once, however many others contain it.
        let contained = snapshot.get(role).into_iter().flat_map(|role| &role.includes);
        waiting.extend(contained.filter(|role| held.insert(Arc::clone(role.shared()))));
    }
    held
}

/// Returns the gate that hides a tool before its rule is called, if one does.
pub(super) fn tool(
    profile: &Profile,
    placed: &PlacedTool,
    tool: &PaneTool,
    environment: &Environment,
    facts: &Facts,
) -> Option<HiddenBy> {
    let shut = |gate, needs: String| Some(HiddenBy::gate(gate, needs));
    if !profile.productivity_pane.enabled {
        return shut(Gate::Profile, "productivityPane.enabled".to_owned());
    }
    if !placed.enabled {
        return shut(Gate::Profile, format!("`{}` enabled in productivityPane.tools", placed.tool));
    }
    if !tool.is_active() {
        return shut(Gate::Configured, format!("pane tool `{}` active", placed.tool));
    }
    let requires = &tool.requires;
    if let Some(switch) = requires.tenant_switch.as_ref().filter(|switch| !environment.is_on(switch.as_str())) {
        return shut(Gate::Tenant, switch.to_string());
    }
    if !requires.licences.is_empty() && !requires.licences.iter().any(|it| facts.licences.contains(it.as_str())) {
        return shut(Gate::Licence, any_of(requires.licences.iter().map(|it| it.as_str())));
    }
    if !requires.roles.is_empty() && !requires.roles.iter().any(|role| facts.roles.contains(role.shared())) {
        return shut(Gate::Role, any_of(requires.roles.iter().map(|it| it.as_str())));
    }
    None
}

fn any_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" or ")
}

/// Returns the active and the hidden channels, and the telephony providers.
pub(super) fn channels(snapshot: &Snapshot, profile: &Profile, facts: &Facts, account: &mut Account) -> ActiveChannels {
    let configured: BTreeSet<Channel> =
        snapshot.all::<Workstream>().filter(|(_, it)| it.is_active()).map(|(_, it)| it.channel).collect();
    let all_active = profile.channels.all_active;
    let mut channels = ActiveChannels { all_active, ..ActiveChannels::default() };
    for channel in configured {
        match channel_gate(channel, all_active, facts) {
            None => channels.active.push(channel),
            Some(hidden_by) => {
                let because = format!("the {} gate needs {}", hidden_by.gate, hidden_by.needs);
                account.line(|| line("channel", Some(channel.as_str()), Outcome::Hidden, because));
                channels.hidden.push(HiddenChannel { channel, hidden_by });
            }
        }
    }
    let mut providers: Vec<_> =
        profile.channels.providers.iter().filter_map(|name| Some((snapshot.active(name)?, name))).collect();
    providers.retain(|(provider, name)| {
        let is_page = address::is_https(provider.channel_url.as_str().trim());
        if !is_page {
            account.warn(
                "provider-left-out",
                format!("channel provider `{name}` is left out: its `channelUrl` is no well-formed address that begins with `https://`"),
            );
        }
        is_page
    });
    providers.sort_by_key(|(provider, name)| (provider.sort_order, (*name).clone()));
    channels.providers = providers.into_iter().map(|(it, name)| provider(it, name.as_str(), facts)).collect();
    channels
}

fn channel_gate(channel: Channel, all_active: bool, facts: &Facts) -> Option<HiddenBy> {
    if !all_active {
        return Some(HiddenBy::gate(Gate::Profile, "channels.allActive"));
    }
    if let Some(licence) = channel.licence().filter(|licence| !facts.licences.contains(*licence)) {
        return Some(HiddenBy::gate(Gate::Licence, licence));
    }
    let held = CHANNEL_ROLES.iter().any(|role| facts.roles.contains(*role));
    (!held).then(|| HiddenBy::gate(Gate::Role, any_of(CHANNEL_ROLES.into_iter())))
}

fn provider(provider: &ChannelProvider, name: &str, facts: &Facts) -> Provider {
    Provider {
        unique_name: name.to_owned(),
        label: provider.label.in_language(facts.language).to_owned(),
        channel_url: provider.channel_url.as_str().trim().to_owned(),
        outbound: provider.outbound,
    }
}

/// Returns the inbox with its visible and hidden views. Views with conversations need the channels.
pub(super) fn inbox(profile: &Profile) -> VisibleInbox {
    let mut inbox = VisibleInbox { enabled: profile.inbox.enabled, ..VisibleInbox::default() };
    for view in &profile.inbox.views {
        let shut = if !profile.inbox.enabled {
            Some("inbox.enabled".to_owned())
        } else if !view.visible {
            Some(format!("view `{}` visible", view.name))
        } else if view.record_types.contains(&InboxRecordType::Chat) && !profile.channels.all_active {
            Some("channels.allActive".to_owned())
        } else {
            None
        };
        match shut {
            None => inbox.views.push(view.clone()),
            Some(needs) => {
                inbox
                    .hidden
                    .push(HiddenView { view: view.name.to_string(), hidden_by: HiddenBy::gate(Gate::Profile, needs) });
            }
        }
    }
    inbox
}

/// Returns the generative helpers. The environment's switch overrules the profile.
pub(super) fn copilot(profile: &Profile, environment: &Environment) -> ActiveCopilot {
    let allowed = environment.is_on(COPILOT_SWITCH);
    let mut copilot = ActiveCopilot::default();
    for (feature, wanted) in &profile.copilot.features {
        copilot.features.insert(*feature, *wanted && allowed);
        if *wanted && !allowed {
            let hidden_by = HiddenBy::gate(Gate::Tenant, COPILOT_SWITCH);
            copilot.hidden.push(HiddenFeature { feature: *feature, hidden_by });
        }
    }
    copilot
}
