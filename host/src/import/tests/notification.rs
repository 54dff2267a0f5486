//! Notification templates.

use super::*;

#[test]
fn a_notification_template_arrives_with_its_fields_in_order() {
    let plan = planned(&Files::fabrikam());
    insta::assert_json_snapshot!(item(&plan, "notification-templates", "fabrik_incoming"));
}

#[test]
fn a_fifth_field_is_left_out() {
    let mut files = Files::fabrikam();
    let mut links = String::new();
    for extra in ["a", "b", "c"] {
        let columns = "<msdyn_title>t</msdyn_title><msdyn_value>v</msdyn_value><msdyn_order>9</msdyn_order>";
        files.row("msdyn_notificationfield", &format!("fabrik_extra_{extra}"), columns);
        links.push_str(&format!("<x msdyn_notificationtemplateid.u=\"fabrik_incoming\" msdyn_notificationfieldid.u=\"fabrik_extra_{extra}\" />"));
    }
    let set = "<msdyn_notificationtemplate_notificationfieldset>";
    let plan = planned(&files.edited(set, &format!("{set}{links}")));
    let fields = item(&plan, "notification-templates", "fabrik_incoming")["fields"].clone();
    assert_eq!(fields.as_array().unwrap().len(), 4);
    assert_eq!(warnings(&plan, "too-many-fields").len(), 1);
    assert!(
        account(&plan, "msdyn_notificationfield", "fabrik_extra_c").starts_with("skipped: no notification template")
    );
}
