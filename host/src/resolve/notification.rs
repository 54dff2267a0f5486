//! The notification that announces a conversation (domain 3.10, rulings 8.10, 8.22, 8.23).

use crate::domain::experience::{Field, Notification, NotificationEvent, Outcome};
use crate::domain::{Channel, Name, NotificationTemplate, Notifications, VoiceProfile, Workstream};
use crate::store::Snapshot;

use super::explain::{Account, line};
use super::{Facts, texts};

/// The items that bind templates to events: the workstream first, then the voice profile (ruling 8.23).
pub(super) struct Bound<'a> {
    pub(super) workstream: Option<&'a Workstream>,
    pub(super) voice: Option<(Name<VoiceProfile>, &'a VoiceProfile)>,
}

/// Returns the notification of work on `channel`, from the template that is bound to the event, else from the one that
/// shipped for the channel.
pub(super) fn announce(
    snapshot: &Snapshot,
    channel: Channel,
    bound: Bound<'_>,
    event: Option<NotificationEvent>,
    facts: &Facts,
    account: &mut Account,
) -> Option<Notification> {
    let event = event.unwrap_or(if facts.context.contains_key("customerRecordId") {
        NotificationEvent::IncomingAuthenticated
    } else {
        NotificationEvent::IncomingUnauthenticated
    });
    let mut wanted = bound.wanted(event);
    wanted.retain(|(name, by)| {
        let is_active = snapshot.active(name).is_some();
        if !is_active {
            account.warn("notification-inactive", format!("{by} binds notification `{name}`, which is inactive"));
        }
        is_active
    });
    let (name, because) = match wanted.into_iter().next() {
        Some((name, by)) => (name, format!("{by} binds it to this event")),
        None => {
            let because = "it shipped for the channel, and nothing binds an active one to this event";
            (shipped(channel, event)?, because.to_owned())
        }
    };
    let template = snapshot.active(&name)?;
    account.line(|| line("notification", Some(name.as_str()), Outcome::Chosen, because));
    Some(render(&name, template, event, channel, facts, account))
}

impl Bound<'_> {
    /// Returns the templates that are bound to an event, each with the item that binds it. The first active one is in
    /// force.
    fn wanted(self, event: NotificationEvent) -> Vec<(Name<NotificationTemplate>, String)> {
        let workstream = self.workstream.and_then(|workstream| bound(&workstream.notifications, event));
        let workstream = workstream.map(|name| (name.clone(), "the workstream".to_owned()));
        let voice = self.voice.and_then(|(by, voice)| {
            let name = match event {
                NotificationEvent::Consult => voice.consult_notification.clone(),
                NotificationEvent::Transfer => voice.transfer_notification.clone(),
                _ => None,
            };
            Some((name?, format!("voice profile `{by}`")))
        });
        workstream.into_iter().chain(voice).collect()
    }
}

fn render(
    name: &Name<NotificationTemplate>,
    template: &NotificationTemplate,
    event: NotificationEvent,
    channel: Channel,
    facts: &Facts,
    account: &mut Account,
) -> Notification {
    let caption = |text: Option<&crate::domain::Localized<100>>, otherwise: &str| {
        text.map_or(otherwise, |text| text.in_language(facts.language)).to_owned()
    };
    let mut lines: Vec<_> = template.fields.iter().collect();
    lines.sort_by_key(|field| field.order);
    let fields = lines.into_iter().take(NotificationTemplate::FIELDS_MAX).map(|field| Field {
        title: field.title.in_language(facts.language).to_owned(),
        value: texts::line(&field.value, &format!("a field of notification `{name}`"), facts, account),
    });
    let fields = fields.collect();
    let title =
        texts::title(Some(&template.title), &format!("the title of notification `{name}`"), facts, account, || {
            template.name.in_language(facts.language).to_owned()
        });
    let may_reject = template.show_reject_button && channel != Channel::Record && !template.auto_assign;
    let auto_accept = template.auto_accept && template.auto_assign;
    Notification {
        template: name.to_string(),
        event,
        title,
        icon: template.icon.as_ref().map(ToString::to_string),
        // Auto-accept forces the countdown to show (domain 3.10).
        show_countdown: template.show_countdown || auto_accept,
        countdown_seconds: template.countdown_seconds.max(1),
        auto_assign: template.auto_assign,
        auto_accept,
        accept_button_text: caption(
            template.accept_button_text.as_ref(),
            if template.auto_assign { "Open" } else { "Accept" },
        ),
        reject_button_text: may_reject.then(|| caption(template.reject_button_text.as_ref(), "Reject")),
        desktop: template.desktop,
        theme: template.theme,
        fields,
    }
}

fn bound(notifications: &Notifications, event: NotificationEvent) -> Option<&Name<NotificationTemplate>> {
    match event {
        NotificationEvent::IncomingAuthenticated => notifications.incoming_authenticated.as_ref(),
        NotificationEvent::IncomingUnauthenticated => notifications.incoming_unauthenticated.as_ref(),
        NotificationEvent::Consult => notifications.consult.as_ref(),
        NotificationEvent::Transfer => notifications.transfer.as_ref(),
        NotificationEvent::SupervisorAssign => notifications.supervisor_assign.as_ref(),
        NotificationEvent::CallbackPreviewDialing => notifications.callback_preview_dialing.as_ref(),
        NotificationEvent::AgentDial => notifications.agent_dial.as_ref(),
        NotificationEvent::AgentPreDial => notifications.agent_pre_dial.as_ref(),
    }
}

/// Returns the name of the template that shipped for a channel and event.
fn shipped(channel: Channel, event: NotificationEvent) -> Option<Name<NotificationTemplate>> {
    if channel == Channel::Record {
        return "msdyn_entityrouting_assigned".parse().ok();
    }
    let event = match event {
        NotificationEvent::IncomingAuthenticated => "incoming_authenticated",
        NotificationEvent::IncomingUnauthenticated => "incoming_unauthenticated",
        NotificationEvent::Consult => "consult",
        NotificationEvent::Transfer => "transfer",
        NotificationEvent::SupervisorAssign => "supervisor_assign",
        // Outreach has no template of its own out of the box.
        NotificationEvent::CallbackPreviewDialing | NotificationEvent::AgentDial | NotificationEvent::AgentPreDial => {
            return None;
        }
    };
    format!("msdyn_{}_{event}", channel.as_str().replace('-', "")).parse().ok()
}
