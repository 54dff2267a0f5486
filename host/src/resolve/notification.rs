//! The notification that announces a conversation (domain 3.10, rulings 8.10, 8.22, 8.23).

use crate::domain::experience::{Field, Notification, NotificationEvent, Outcome};
use crate::domain::{Channel, Name, NotificationTemplate, Notifications, Workstream};
use crate::store::Snapshot;

use super::explain::{Account, line};
use super::{Facts, texts};

/// What announces work on `channel`: the workstream's template for the event, else the one that shipped for the channel.
pub(super) fn announce(
    snapshot: &Snapshot,
    channel: Channel,
    workstream: Option<&Workstream>,
    event: Option<NotificationEvent>,
    facts: &Facts,
    account: &mut Account,
) -> Option<Notification> {
    let event = event.unwrap_or(if facts.context.contains_key("customerRecordId") {
        NotificationEvent::IncomingAuthenticated
    } else {
        NotificationEvent::IncomingUnauthenticated
    });
    let bound = workstream.and_then(|workstream| bound(&workstream.notifications, event));
    if let Some(inactive) = bound.filter(|name| snapshot.active(*name).is_none()) {
        account.warn(
            "notification-inactive",
            format!("the workstream binds notification `{inactive}`, which is inactive"),
        );
    }
    let (name, because) = match bound.filter(|name| snapshot.active(*name).is_some()) {
        Some(name) => (name.clone(), "the workstream binds it to this event"),
        None => (
            shipped(channel, event)?,
            "it shipped for the channel, and the workstream binds no active one to this event",
        ),
    };
    let template = snapshot.active(&name)?;
    account.line(|| line("notification", Some(name.as_str()), Outcome::Chosen, because));
    Some(render(&name, template, event, channel, facts, account))
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

/// The template that shipped for a channel and event, by its name.
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
