//! The session that opens: its template, title, tabs and notification (domain 3.6 to 3.8, ruling 8.7).

use crate::domain::experience::{NotificationEvent, Outcome, Session};
use crate::domain::{
    CallDirection, Channel, CommunicationPanel, Environment, Item, Kind, Name, Profile, SessionKind, SessionTemplate,
    VoiceProfile, Workstream,
};
use crate::store::{Layer, Snapshot};

use super::explain::{Account, line};
use super::{Error, Facts, SessionInput, notification, tabs, texts};

/// The subject of a session and its template, found but not yet rendered.
#[derive(Debug)]
pub(super) struct Opening<'a> {
    about: About<'a>,
    template: Option<(Name<SessionTemplate>, &'a SessionTemplate)>,
    event: Option<NotificationEvent>,
}

#[derive(Debug)]
enum About<'a> {
    Conversation { channel: Option<Channel>, workstream: Option<(Name<Workstream>, &'a Workstream)> },
    Record { entity: String },
}

/// The name that stands for the template of records without a template.
const BUILT_IN: &str = "built-in";

/// Finds the conversation or record that `input` asks for, and the template for it.
pub(super) fn open<'a>(
    snapshot: &'a Snapshot,
    (profile_name, profile): (&Name<Profile>, &Profile),
    input: &SessionInput,
    account: &mut Account,
) -> Result<Opening<'a>, Error> {
    let event = input.event;
    match (&input.workstream, input.channel, &input.entity, &input.template) {
        (Some(name), None, None, None) => {
            let (name, workstream) = find::<Workstream>(snapshot, name)?;
            let template = for_workstream(snapshot, &name, workstream, account);
            let about = About::Conversation { channel: Some(workstream.channel), workstream: Some((name, workstream)) };
            Ok(Opening { about, template, event })
        }
        (None, Some(channel), None, None) => {
            let template = for_channel(snapshot, channel, account);
            Ok(Opening { about: About::Conversation { channel: Some(channel), workstream: None }, template, event })
        }
        (None, None, Some(entity), None) => {
            let template = for_entity(snapshot, profile, entity, account);
            Ok(Opening { about: About::Record { entity: entity.clone() }, template, event })
        }
        (None, None, None, Some(name)) => {
            let (name, template) = find::<SessionTemplate>(snapshot, name)?;
            if template.kind == SessionKind::Entity && !profile.session_templates.contains(&name) {
                return Err(Error::NotInProfile { template: name.to_string(), profile: profile_name.to_string() });
            }
            account.line(|| {
                line("session-template", Some(name.as_str()), Outcome::Chosen, "the session asks for it by name")
            });
            let about = match (template.kind, &template.entity) {
                (SessionKind::Entity, Some(entity)) => About::Record { entity: entity.to_string() },
                _ => About::Conversation { channel: None, workstream: None },
            };
            Ok(Opening { about, template: Some((name, template)), event })
        }
        (None, None, None, None) => Err(Error::EmptySession),
        (workstream, channel, entity, template) => {
            let given = [
                ("workstream", workstream.is_some()),
                ("channel", channel.is_some()),
                ("entity", entity.is_some()),
                ("template", template.is_some()),
            ];
            let given: Vec<String> = given.iter().filter(|(_, it)| *it).map(|(name, _)| format!("`{name}`")).collect();
            Err(Error::AmbiguousSession { given: given.join(" and ") })
        }
    }
}

impl Opening<'_> {
    /// Writes the channel, workstream, entity and template of the session into `facts`.
    pub(super) fn inform(&self, facts: &mut Facts) {
        match &self.about {
            About::Conversation { channel, workstream } => {
                facts.channel = *channel;
                facts.workstream = workstream.as_ref().map(|(name, _)| name.to_string());
            }
            About::Record { entity } => facts.entity = Some(entity.clone()),
        }
        facts.session_template = self.template.as_ref().map(|(name, _)| name.to_string());
    }

    /// Returns the session as it opens.
    pub(super) fn render(
        &self,
        snapshot: &Snapshot,
        environment: &Environment,
        facts: &Facts,
        account: &mut Account,
    ) -> Session {
        let template = self.template.as_ref().map(|(_, template)| *template);
        let name = self.template.as_ref().map_or(BUILT_IN, |(name, _)| name.as_str());
        let place = format!("the title of session template `{name}`");
        let title = template.and_then(|template| template.title.as_ref());
        let title = texts::title(title, &place, facts, account, || self.default_title(facts));
        Session {
            template: name.to_owned(),
            icon: template.and_then(|template| template.icon.as_ref()).map(ToString::to_string),
            communication_panel: self.communication_panel(),
            anchor_tab: self.anchor(snapshot, &title, facts, account),
            tabs: template.map_or_else(Vec::new, |it| tabs::additional(snapshot, it, environment, facts, account)),
            notification: self.notification(snapshot, facts, account),
            title,
        }
    }

    /// Returns the mode of the communication panel. A record session has no customer to write to, so its panel is
    /// hidden whatever the template says (domain 2.3).
    fn communication_panel(&self) -> CommunicationPanel {
        match (&self.about, &self.template) {
            (About::Record { .. } | About::Conversation { channel: Some(Channel::Record), .. }, _) => {
                CommunicationPanel::Hidden
            }
            (About::Conversation { .. }, Some((_, template))) => template.communication_panel,
            (About::Conversation { .. }, None) => CommunicationPanel::default(),
        }
    }

    fn anchor(
        &self,
        snapshot: &Snapshot,
        title: &str,
        facts: &Facts,
        account: &mut Account,
    ) -> crate::domain::experience::Tab {
        let template = self.template.as_ref().map(|(_, template)| *template);
        let mut tab = match &self.about {
            About::Record { entity } => tabs::record_anchor(entity, self.default_title(facts), facts),
            About::Conversation { .. } => template
                .and_then(|template| template.anchor_tab.as_ref())
                .and_then(|anchor| tabs::anchor(snapshot, anchor, facts, account))
                .unwrap_or_else(|| tabs::conversation_anchor(facts)),
        };
        if template.is_some_and(|template| template.title_on_anchor_tab) {
            title.clone_into(&mut tab.title);
        }
        tab
    }

    fn notification(
        &self,
        snapshot: &Snapshot,
        facts: &Facts,
        account: &mut Account,
    ) -> Option<crate::domain::experience::Notification> {
        let About::Conversation { channel: Some(channel), workstream } = &self.about else { return None };
        let workstream = workstream.as_ref().map(|(_, workstream)| *workstream);
        let voice = (*channel == Channel::Voice).then(|| voice_profile(snapshot)).flatten();
        let bound = notification::Bound { workstream, voice };
        notification::announce(snapshot, *channel, bound, self.event, facts, account)
    }

    /// Returns the customer's name, or the record's (domain 3.8).
    fn default_title(&self, facts: &Facts) -> String {
        let known =
            |keys: &[&str]| keys.iter().find_map(|key| facts.context.get(*key)).filter(|text| !text.trim().is_empty());
        match &self.about {
            About::Conversation { .. } => known(&["customerName"]).cloned().unwrap_or_else(|| "Visitor".to_owned()),
            About::Record { entity } => {
                let keys = ["anchor.title", "anchor.name", "anchor.fullname", "anchor.subject", "customerName"];
                known(&keys).unwrap_or(entity).clone()
            }
        }
    }
}

fn find<'a, T: Item>(snapshot: &'a Snapshot, typed: &str) -> Result<(Name<T>, &'a T), Error> {
    let unknown = || Error::Unknown { kind: T::KIND, name: typed.to_owned(), hint: String::new() };
    let name: Name<T> = snapshot.canonical(T::KIND, typed).and_then(|name| name.parse().ok()).ok_or_else(unknown)?;
    let item = snapshot.get(&name).ok_or_else(unknown)?;
    if item.is_active() { Ok((name, item)) } else { Err(Error::Inactive { kind: T::KIND, name: typed.to_owned() }) }
}

type Found<'a> = Option<(Name<SessionTemplate>, &'a SessionTemplate)>;

fn for_workstream<'a>(
    snapshot: &'a Snapshot,
    name: &Name<Workstream>,
    workstream: &Workstream,
    account: &mut Account,
) -> Found<'a> {
    if let Some(bound) = &workstream.session_template {
        if let Some(template) = snapshot.active(bound) {
            account.line(|| {
                line("session-template", Some(bound.as_str()), Outcome::Chosen, format!("workstream `{name}` binds it"))
            });
            return Some((bound.clone(), template));
        }
        account.warn("session-template-inactive", format!("workstream `{name}` binds `{bound}`, which is inactive"));
    }
    for_channel(snapshot, workstream.channel, account)
}

/// Finds the template of a channel: that of the default inbound voice profile for voice, else the one that shipped.
fn for_channel<'a>(snapshot: &'a Snapshot, channel: Channel, account: &mut Account) -> Found<'a> {
    let voice = (channel == Channel::Voice).then(|| voice_profile(snapshot)).flatten();
    let bound = voice.and_then(|(voice, item)| Some((voice, item.session_template.clone()?)));
    if let Some((voice, name)) = bound {
        if let Some(template) = snapshot.active(&name) {
            let because = || format!("voice profile `{voice}`, the default for calls that come in, binds it");
            account.line(|| line("session-template", Some(name.as_str()), Outcome::Chosen, because()));
            return Some((name, template));
        }
        account.warn("session-template-inactive", format!("voice profile `{voice}` binds `{name}`, which is inactive"));
    }
    let name = shipped(channel)?;
    let template = snapshot.active(&name)?;
    account.line(|| line("session-template", Some(name.as_str()), Outcome::Chosen, "it shipped for the channel"));
    Some((name, template))
}

/// Finds the active default voice profile of incoming calls, for calls whose workstream binds no template of its own.
fn voice_profile(snapshot: &Snapshot) -> Option<(Name<VoiceProfile>, &VoiceProfile)> {
    snapshot
        .all::<VoiceProfile>()
        .find(|(_, voice)| voice.default && voice.is_active() && voice.direction == CallDirection::Inbound)
}

fn shipped(channel: Channel) -> Option<Name<SessionTemplate>> {
    match channel {
        Channel::Record => "msdyn_entityrouting_session".parse().ok(),
        other => format!("msdyn_{}_session", other.as_str().replace('-', "")).parse().ok(),
    }
}

/// Finds the profile's template for the entity, else the one that shipped, else none (ruling 8.7).
fn for_entity<'a>(snapshot: &'a Snapshot, profile: &Profile, entity: &str, account: &mut Account) -> Found<'a> {
    let is_for = |template: &SessionTemplate| {
        template.is_active() && template.entity.as_ref().is_some_and(|it| it.as_str() == entity)
    };
    let own = profile
        .session_templates
        .iter()
        .find_map(|name| Some((name.clone(), snapshot.get(name).filter(|it| is_for(it))?)));
    let (found, because) = match own {
        Some(found) => (Some(found), format!("the profile binds it to `{entity}`")),
        None => {
            let mut shipped = snapshot.all::<SessionTemplate>().filter(|(name, template)| {
                let entry = snapshot.entry(Kind::SessionTemplate, name.as_str());
                is_for(template) && entry.is_some_and(|entry| entry.layer == Layer::OutOfTheBox)
            });
            let found = shipped.next();
            let because = match found {
                Some(_) => format!("it shipped for `{entity}`, and the profile binds no template of its own"),
                None => format!("neither the profile nor the product has a template for `{entity}`"),
            };
            (found, because)
        }
    };
    let name = found.as_ref().map_or(BUILT_IN, |(name, _)| name.as_str());
    account.line(|| line("session-template", Some(name), Outcome::Chosen, because));
    found
}

#[cfg(test)]
mod tests;
