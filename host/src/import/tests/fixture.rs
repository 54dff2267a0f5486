//! A solution of our own in the format of exports, and an environment to import it into.
//!
//! "Fabrikam Returns" has every oddity that real exports were seen with. Tests change one file at a time.

use std::io::{Cursor, Write};
use std::sync::Arc;

use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::domain::{AnyItem, Kind, Revision};
use crate::import::Plan;
use crate::store::{Change, Entry, Layer, Snapshot};

pub(super) const STOCK: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
pub(super) const STOCK_TWIN: &str = "22222222-aaaa-4bbb-8ccc-000000000002";

/// The files of an archive, in order.
#[derive(Clone)]
pub(crate) struct Files(pub(crate) Vec<(String, Vec<u8>)>);

impl Files {
    /// The whole solution.
    pub(crate) fn fabrikam() -> Self {
        let mut files = Self(Vec::new());
        files.put("[Content_Types].xml", "\u{feff}<?xml version=\"1.0\"?><Types />");
        files.put("solution.xml", SOLUTION);
        files.put("customizations.xml", CUSTOMIZATIONS);
        files.put("Workflows/Checkstock-1.json", DEFINITION);
        files.put("Workflows/Checkstock-2.json", DEFINITION);
        for (table, name, columns) in ROWS {
            files.row(table, name, columns);
        }
        files
    }

    pub(crate) fn put(&mut self, path: &str, content: impl AsRef<[u8]>) {
        let content = content.as_ref().to_vec();
        match self.0.iter_mut().find(|(known, _)| known == path) {
            Some((_, known)) => *known = content,
            None => self.0.push((path.to_owned(), content)),
        }
    }

    pub(super) fn row(&mut self, table: &str, name: &str, columns: &str) {
        let state =
            if columns.contains("<statecode>") { "" } else { "<statecode>0</statecode><statuscode>1</statuscode>" };
        let content = format!(
            "<{table} msdyn_uniquename=\"{name}\">\r\n  <iscustomizable>1</iscustomizable>\r\n  {columns}\r\n  {state}\r\n</{table}>"
        );
        self.put(&format!("{table}s/{name}/{table}.xml"), content);
    }

    /// The files with `from` replaced by `to`. At least one file must contain it.
    pub(super) fn edited(&self, from: &str, to: &str) -> Self {
        let mut edited = self.clone();
        let mut found = false;
        for (_, content) in &mut edited.0 {
            let text = String::from_utf8(content.clone()).unwrap();
            found |= text.contains(from);
            *content = text.replace(from, to).into_bytes();
        }
        assert!(found, "no file contains {from:?}");
        edited
    }

    pub(super) fn without(&self, path: &str) -> Self {
        let left: Vec<_> = self.0.iter().filter(|(known, _)| !known.starts_with(path)).cloned().collect();
        assert!(left.len() < self.0.len(), "no file is called {path:?}");
        Self(left)
    }

    pub(crate) fn zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, content) in &self.0 {
            zip.start_file(path.as_str(), SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }
}

/// The shipped content that Fabrikam needs.
pub(super) fn base() -> Snapshot {
    let tool = |kind: &str| json!({ "name": kind, "kind": kind, "control": "c" });
    let shipped = [
        (Kind::PaneTool, "msdyn_callscript_tool_config", tool("scripts")),
        (Kind::PaneTool, "msdyn_smartassist_tool_config", tool("smart-assist")),
        (Kind::PaneTool, "msdyn_knowledgesearch_tool_config", tool("knowledge-search")),
        (Kind::ApplicationExtension, "pp_loader", json!({ "name": "Pane loader", "webResource": "loader.html" })),
        (Kind::SecurityRole, "csr", json!({ "name": "Customer Service Representative" })),
        (
            Kind::App,
            "customer-service-workspace",
            json!({ "name": "Workspace", "aliases": ["msdyn_CustomerServiceWorkspace"] }),
        ),
        (Kind::Profile, "msdyn_shipped_profile", json!({ "name": "Shipped" })),
        (
            Kind::ApplicationTabTemplate,
            "msdyn_entityrecord",
            json!({ "name": "Entity record", "pageType": "entity-record", "parameters": { "entityName": "incident" } }),
        ),
    ];
    Snapshot::new(
        Revision(1),
        shipped.into_iter().map(|(kind, name, json)| {
            let item = AnyItem::parse(kind, name, json).unwrap();
            (Arc::from(name), Entry::new(item, Revision(1), Layer::OutOfTheBox))
        }),
    )
}

/// `base` with one more custom item.
pub(super) fn base_and(base: &Snapshot, kind: Kind, name: &str, json: serde_json::Value) -> Snapshot {
    let item = AnyItem::parse(kind, name, json).unwrap();
    rebuilt(base, [(Arc::from(name), item)])
}

/// The environment after a plan was carried out.
pub(super) fn applied(base: &Snapshot, plan: &Plan) -> Snapshot {
    let puts = plan.changes.changes.iter().map(|change| match change {
        Change::Put { name, item, .. } => (Arc::clone(name), item.clone()),
        other => panic!("imports only put: {other:?}"),
    });
    rebuilt(base, puts)
}

fn rebuilt(base: &Snapshot, puts: impl IntoIterator<Item = (Arc<str>, AnyItem)>) -> Snapshot {
    let next = Revision(base.revision().0 + 1);
    let old = Kind::ALL.iter().flat_map(|kind| base.entries(*kind));
    let old = old.map(|(name, entry)| (Arc::clone(name), Entry::new(entry.item.clone(), entry.revision, entry.layer)));
    let new = puts.into_iter().map(|(name, item)| (name, Entry::new(item, next, Layer::Custom)));
    Snapshot::new(next, old.chain(new).collect::<Vec<_>>())
}

const SOLUTION: &str = r#"<ImportExportXml xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <SolutionManifest>
    <UniqueName>FabrikamReturns</UniqueName><Version>2.0.0.7</Version><Managed>0</Managed>
    <Publisher><UniqueName>fabrikam</UniqueName><EMailAddress xsi:nil="true"></EMailAddress>
      <CustomizationPrefix>fabrik</CustomizationPrefix></Publisher>
    <RootComponents>
      <RootComponent type="29" id="{11111111-AAAA-4BBB-8CCC-000000000001}" behavior="0" />
      <RootComponent type="29" id="{99999999-aaaa-4bbb-8ccc-000000000009}" behavior="0" />
    </RootComponents>
    <MissingDependencies>
      <MissingDependency>
        <Required type="msdyn_applicationextension" displayName="pp_loader" solution="Panes (9.2)" id.msdyn_uniquename="pp_loader"><package>Anchor</package></Required>
        <Dependent type="msdyn_appconfiguration_applicationextension" displayName="desk and loader" />
      </MissingDependency>
      <MissingDependency>
        <Required type="msdyn_panetoolconfiguration" displayName="msdyn_translator_tool_config" solution="Translator (1.0)" id.msdyn_uniquename="msdyn_translator_tool_config" />
        <Dependent type="msdyn_panetabconfiguration" displayName="translator" id.msdyn_uniquename="fabrik_tab_translator" />
      </MissingDependency>
    </MissingDependencies>
  </SolutionManifest>
</ImportExportXml>"#;

const CUSTOMIZATIONS: &str = r#"<ImportExportXml>
  <Entities></Entities>
  <Roles><Role id="{33333333-aaaa-4bbb-8ccc-000000000003}" name="Customer Service Representative"><RolePrivileges /></Role></Roles>
  <Workflows>
    <Workflow WorkflowId="{22222222-AAAA-4BBB-8CCC-000000000002}" Name="Check stock!">
      <JsonFileName>/Workflows/Checkstock-2.json</JsonFileName><Category>9000</Category>
      <StateCode>0</StateCode><StatusCode>1</StatusCode></Workflow>
    <Workflow WorkflowId="{11111111-aaaa-4bbb-8ccc-000000000001}" Name="Check stock" Description="Looks the article up">
      <JsonFileName>/Workflows/Checkstock-1.json</JsonFileName><Category>9000</Category><Mode>0</Mode>
      <StateCode>1</StateCode><StatusCode>2</StatusCode>
      <LocalizedNames><LocalizedName languagecode="1033" description="Check stock" /><LocalizedName languagecode="1031" description="Bestand" /></LocalizedNames></Workflow>
    <Workflow WorkflowId="{44444444-aaaa-4bbb-8ccc-000000000004}" Name="Nightly"><Category>5</Category></Workflow>
  </Workflows>
  <EntityMaps />
  <optionsets />
  <msdyn_appconfiguration_applicationextensionset>
    <msdyn_appconfiguration_applicationextension msdyn_appconfigurationid.msdyn_uniquename="fabrik_desk" msdyn_applicationextensionid.msdyn_uniquename="pp_loader"><iscustomizable>1</iscustomizable></msdyn_appconfiguration_applicationextension>
  </msdyn_appconfiguration_applicationextensionset>
  <msdyn_appconfiguration_sessiontemplateset>
    <msdyn_appconfiguration_sessiontemplate msdyn_appconfigurationid.msdyn_uniquename="fabrik_desk" msdyn_sessiontemplateid.msdyn_uniquename="fabrik_case" />
    <msdyn_appconfiguration_sessiontemplate msdyn_appconfigurationid.msdyn_uniquename="fabrik_desk" msdyn_sessiontemplateid.msdyn_uniquename="fabrik_nowhere" />
    <msdyn_appconfiguration_sessiontemplate msdyn_appconfigurationid.msdyn_uniquename="msdyn_shipped_profile" msdyn_sessiontemplateid.msdyn_uniquename="fabrik_case" />
  </msdyn_appconfiguration_sessiontemplateset>
  <msdyn_appconfiguration_systemuserset>
    <msdyn_appconfiguration_systemuser msdyn_appconfigurationid.msdyn_uniquename="fabrik_desk" systemuserid.domainname="ada" />
  </msdyn_appconfiguration_systemuserset>
  <msdyn_msdyn_paneconfig_msdyn_appconfigset>
    <msdyn_msdyn_paneconfig_msdyn_appconfig msdyn_appconfigurationid.msdyn_uniquename="fabrik_desk" msdyn_paneconfigurationid.msdyn_uniquename="fabrik_pane" />
    <msdyn_msdyn_paneconfig_msdyn_appconfig msdyn_appconfigurationid.msdyn_uniquename="fabrik_field" msdyn_paneconfigurationid.msdyn_uniquename="fabrik_pane" />
  </msdyn_msdyn_paneconfig_msdyn_appconfigset>
  <msdyn_smartassistconfig_msdyn_appconfigset>
    <msdyn_smartassistconfig_msdyn_appconfig msdyn_appconfigurationid.msdyn_uniquename="fabrik_field" msdyn_smartassistconfigid.msdyn_uniquename="fabrik_similar" />
  </msdyn_smartassistconfig_msdyn_appconfigset>
  <msdyn_appconfig_msdyn_channelproviderset>
    <msdyn_appconfig_msdyn_channelprovider msdyn_appconfigurationid.msdyn_uniquename="fabrik_field" msdyn_channelproviderid.msdyn_uniquename="fabrik_phone" />
  </msdyn_appconfig_msdyn_channelproviderset>
  <msdyn_msdyn_prod_agentscript_msdyn_sessiontemplset>
    <msdyn_msdyn_prod_agentscript_msdyn_sessiontempl msdyn_productivityagentscriptid.msdyn_uniquename="fabrik_return" msdyn_sessiontemplateid.msdyn_uniquename="fabrik_case" />
    <msdyn_msdyn_prod_agentscript_msdyn_sessiontempl msdyn_productivityagentscriptid.msdyn_uniquename="fabrik_complaint" msdyn_sessiontemplateid.msdyn_uniquename="fabrik_case" />
  </msdyn_msdyn_prod_agentscript_msdyn_sessiontemplset>
  <msdyn_sessiontemplate_applicationtabset>
    <msdyn_sessiontemplate_applicationtab msdyn_applicationtabtemplateid.msdyn_uniquename="fabrik_map" msdyn_sessiontemplateid.msdyn_uniquename="fabrik_case" />
    <msdyn_sessiontemplate_applicationtab msdyn_applicationtabtemplateid.msdyn_uniquename="fabrik_customer" msdyn_sessiontemplateid.msdyn_uniquename="fabrik_case" />
  </msdyn_sessiontemplate_applicationtabset>
  <msdyn_notificationtemplate_notificationfieldset>
    <msdyn_notificationtemplate_notificationfield msdyn_notificationtemplateid.msdyn_uniquename="fabrik_incoming" msdyn_notificationfieldid.msdyn_uniquename="fabrik_who" />
    <msdyn_notificationtemplate_notificationfield msdyn_notificationtemplateid.msdyn_uniquename="fabrik_incoming" msdyn_notificationfieldid.msdyn_uniquename="fabrik_what" />
  </msdyn_notificationtemplate_notificationfieldset>
  <fabrik_sticker_msdyn_appconfigset>
    <fabrik_sticker_msdyn_appconfig msdyn_appconfigurationid.msdyn_uniquename="fabrik_desk" fabrik_stickerid.fabrik_name="gold" />
  </fabrik_sticker_msdyn_appconfigset>
  <Languages><Language>1033</Language></Languages>
</ImportExportXml>"#;

const DEFINITION: &str = r#"{"schemaVersion":"1.0.0","properties":{"definition":{"actions":{"Look_up":{"type":"Open_Record_Grid","inputs":{"EntityName":"product","View":" {anchor.title}\r","Url":"https:\/\/fabrikam.example"},"runAfter":{}}}}}}"#;

const ROWS: &[(&str, &str, &str)] = &[
    (
        "msdyn_appconfiguration",
        "fabrik_desk",
        r#"<msdyn_appmoduleuniquename>CustomerServiceApps</msdyn_appmoduleuniquename>
           <msdyn_name default="Returns desk"><label description="Returns desk" languagecode="1033" /></msdyn_name>
           <msdyn_profileorder>7</msdyn_profileorder>"#,
    ),
    (
        "msdyn_appconfiguration",
        "fabrik_field",
        r#"<msdyn_appmoduleuniquename>fabrik_fieldapp</msdyn_appmoduleuniquename><msdyn_name>Field</msdyn_name>
           <statecode>1</statecode><statuscode>2</statuscode>"#,
    ),
    (
        "msdyn_appprofilerolemapping",
        "fabrik_mapping_known",
        r#"<msdyn_name>known</msdyn_name><msdyn_appprofileid><msdyn_uniquename>fabrik_desk</msdyn_uniquename></msdyn_appprofileid>
           <msdyn_securityroleid><roleid>{33333333-AAAA-4BBB-8CCC-000000000003}</roleid></msdyn_securityroleid>"#,
    ),
    (
        "msdyn_appprofilerolemapping",
        "fabrik_mapping_unknown",
        r#"<msdyn_name>unknown</msdyn_name><msdyn_appprofileid><msdyn_uniquename>fabrik_desk</msdyn_uniquename></msdyn_appprofileid>
           <msdyn_securityroleid><name>Astronaut</name></msdyn_securityroleid>"#,
    ),
    (
        "msdyn_sessiontemplate",
        "fabrik_case",
        r#"<msdyn_enablebuildexpression>1</msdyn_enablebuildexpression><msdyn_entity>incident</msdyn_entity>
           <msdyn_expressiondata>{"actions":{"Set":{"type":"Set_default_agent_script","inputs":{"ScriptId":"{77777777-AAAA-4BBB-8CCC-000000000007}"}}}}</msdyn_expressiondata>
           <msdyn_name default="Return"><label description="Return" languagecode="1033" /><label languagecode="1031" description="R&#252;ckgabe" /></msdyn_name>
           <msdyn_panelstate>162450001</msdyn_panelstate><msdyn_sessiontype>1</msdyn_sessiontype><msdyn_type>0</msdyn_type>
           <msdyn_title default="{anchor.ticketnumber}" />"#,
    ),
    (
        "msdyn_sessiontemplate",
        "fabrik_chat",
        r#"<msdyn_name>Chat</msdyn_name><msdyn_type>0</msdyn_type><msdyn_entity>account</msdyn_entity>
           <msdyn_anchortab><msdyn_uniquename>msdyn_entityrecord</msdyn_uniquename></msdyn_anchortab>"#,
    ),
    (
        "msdyn_applicationtabtemplate",
        "fabrik_map",
        r#"<msdyn_name default="Map" /><msdyn_pagetype>509180006</msdyn_pagetype><msdyn_pinned>0</msdyn_pinned>
           <msdyn_templateparameters>{"url":{"value":"https:\/\/maps.fabrikam.example\/"},"data":{"value":"{anchor.title}"},"only":{"value":null}}</msdyn_templateparameters>"#,
    ),
    (
        "msdyn_applicationtabtemplate",
        "fabrik_customer",
        r#"<msdyn_name>Customer</msdyn_name><msdyn_pagetype>509180001</msdyn_pagetype><msdyn_pinned>1</msdyn_pinned>"#,
    ),
    (
        "msdyn_templateparameter",
        "fabrik_map_url",
        r#"<msdyn_applicationtabtemplateid><msdyn_uniquename>fabrik_map</msdyn_uniquename></msdyn_applicationtabtemplateid>
           <msdyn_name default="url" /><msdyn_value>https://maps.fabrikam.example/</msdyn_value>"#,
    ),
    (
        "msdyn_templateparameter",
        "fabrik_map_data",
        r#"<msdyn_applicationtabtemplateid><msdyn_uniquename>fabrik_map</msdyn_uniquename></msdyn_applicationtabtemplateid>
           <msdyn_name default="data" /><msdyn_value> {anchor.city}&#13;</msdyn_value>"#,
    ),
    (
        "msdyn_templateparameter",
        "fabrik_parameter_by_hand",
        r#"<msdyn_applicationtabtemplateid><msdyn_uniquename>fabrik_customer</msdyn_uniquename></msdyn_applicationtabtemplateid>
           <msdyn_name default="entityName" /><msdyn_value>contact</msdyn_value>"#,
    ),
    (
        "msdyn_templateparameter",
        "fabrik_customer_formId",
        r#"<msdyn_applicationtabtemplateid><msdyn_uniquename>fabrik_customer</msdyn_uniquename></msdyn_applicationtabtemplateid>
           <msdyn_name default="formId" />"#,
    ),
    (
        "msdyn_productivityagentscript",
        "fabrik_return",
        r#"<msdyn_language>1033</msdyn_language><msdyn_name>Return</msdyn_name>"#,
    ),
    (
        "msdyn_productivityagentscript",
        "fabrik_complaint",
        r#"<msdyn_language>1031</msdyn_language><msdyn_name default="Complaint" />"#,
    ),
    (
        "msdyn_productivityagentscriptstep",
        "fabrik_step_greet",
        r#"<msdyn_actiontype>192350000</msdyn_actiontype><msdyn_agentscriptid><msdyn_uniquename>fabrik_return</msdyn_uniquename></msdyn_agentscriptid>
           <msdyn_name>Greet</msdyn_name><msdyn_order>1</msdyn_order><msdyn_textinstruction default="Say hello to {customerName}" />"#,
    ),
    (
        "msdyn_productivityagentscriptstep",
        "fabrik_step_stock",
        r#"<msdyn_actiontype>192350001</msdyn_actiontype><msdyn_agentscriptid><msdyn_uniquename>fabrik_return</msdyn_uniquename></msdyn_agentscriptid>
           <msdyn_macroactionid><workflowid>{11111111-AAAA-4BBB-8CCC-000000000001}</workflowid></msdyn_macroactionid>
           <msdyn_name>Stock</msdyn_name><msdyn_order>2</msdyn_order>"#,
    ),
    (
        "msdyn_productivityagentscriptstep",
        "fabrik_step_complain",
        r#"<msdyn_actiontype>192350002</msdyn_actiontype><msdyn_agentscriptid><msdyn_uniquename>fabrik_return</msdyn_uniquename></msdyn_agentscriptid>
           <msdyn_routeactionid><msdyn_uniquename>fabrik_complaint</msdyn_uniquename></msdyn_routeactionid>
           <msdyn_name>Complain</msdyn_name><msdyn_order>3</msdyn_order>"#,
    ),
    (
        "msdyn_productivityagentscriptstep",
        "fabrik_step_lost",
        r#"<msdyn_actiontype>192350001</msdyn_actiontype><msdyn_agentscriptid><msdyn_uniquename>fabrik_return</msdyn_uniquename></msdyn_agentscriptid>
           <msdyn_macroactionid><workflowid>55555555-aaaa-4bbb-8ccc-000000000005</workflowid></msdyn_macroactionid>
           <msdyn_name>Lost</msdyn_name><msdyn_order>4</msdyn_order>"#,
    ),
    (
        "msdyn_paneconfiguration",
        "fabrik_pane",
        r#"<msdyn_name>Returns pane</msdyn_name><msdyn_panemode>0</msdyn_panemode><msdyn_panestate>1</msdyn_panestate>"#,
    ),
    (
        "msdyn_panetabconfiguration",
        "fabrik_tab_scripts",
        r#"<msdyn_isenabled>1</msdyn_isenabled><msdyn_order>20</msdyn_order><msdyn_name>Scripts</msdyn_name>
           <msdyn_productivitypaneid><msdyn_uniquename>fabrik_pane</msdyn_uniquename></msdyn_productivitypaneid>
           <msdyn_toolid><msdyn_uniquename>msdyn_callscript_tool_config</msdyn_uniquename></msdyn_toolid>
           <msdyn_tooltip default="Scripts" />"#,
    ),
    (
        "msdyn_panetabconfiguration",
        "fabrik_tab_assist",
        r#"<msdyn_order>10</msdyn_order><msdyn_productivitypaneid><msdyn_uniquename>fabrik_pane</msdyn_uniquename></msdyn_productivitypaneid>
           <msdyn_toolid><msdyn_uniquename>msdyn_smartassist_tool_config</msdyn_uniquename></msdyn_toolid>"#,
    ),
    (
        "msdyn_panetabconfiguration",
        "fabrik_tab_translator",
        r#"<msdyn_isenabled>1</msdyn_isenabled><msdyn_productivitypaneid><msdyn_uniquename>fabrik_pane</msdyn_uniquename></msdyn_productivitypaneid>
           <msdyn_toolid><msdyn_uniquename>msdyn_translator_tool_config</msdyn_uniquename></msdyn_toolid>"#,
    ),
    (
        "msdyn_notificationtemplate",
        "fabrik_incoming",
        r#"<msdyn_name>Incoming</msdyn_name><msdyn_title default="Call from {customerName}" /><msdyn_timeout>45</msdyn_timeout>
           <msdyn_theme>509180001</msdyn_theme><msdyn_desktopnotificationmode>509180001</msdyn_desktopnotificationmode>"#,
    ),
    (
        "msdyn_notificationfield",
        "fabrik_who",
        r#"<msdyn_name>Who</msdyn_name><msdyn_title>Who</msdyn_title><msdyn_value default="{customerName}" /><msdyn_order>2</msdyn_order>"#,
    ),
    (
        "msdyn_notificationfield",
        "fabrik_what",
        r#"<msdyn_name>What</msdyn_name><msdyn_title>What</msdyn_title><msdyn_value default="{caseTitle}" /><msdyn_order>1</msdyn_order>"#,
    ),
    (
        "msdyn_smartassistconfig",
        "fabrik_similar",
        r#"<msdyn_name>Similar</msdyn_name><msdyn_suggestiontype>192360001</msdyn_suggestiontype><msdyn_sourceentityname>incident</msdyn_sourceentityname>
           <msdyn_suggestioncontroltype>192360000</msdyn_suggestioncontroltype><msdyn_suggestioncontrolconfiguniquename>card</msdyn_suggestioncontrolconfiguniquename>"#,
    ),
    (
        "msdyn_channelprovider",
        "fabrik_phone",
        r#"<msdyn_name>Phone</msdyn_name><msdyn_label>Phone</msdyn_label><msdyn_channelurl>https://phone.fabrikam.example</msdyn_channelurl>
           <msdyn_sortorder>0</msdyn_sortorder><msdyn_apiversion>162450000</msdyn_apiversion>"#,
    ),
    (
        "msdyn_appcopilotconfiguration",
        "fabrik_copilot",
        r#"<msdyn_name>Ask</msdyn_name><msdyn_appconfigurationid><msdyn_uniquename>fabrik_desk</msdyn_uniquename></msdyn_appconfigurationid>
           <msdyn_copilotfeature>829050003</msdyn_copilotfeature><msdyn_enabled>1</msdyn_enabled>"#,
    ),
    (
        "msdyn_inboxconfiguration",
        "fabrik_inbox",
        r#"<msdyn_name>Mine</msdyn_name><msdyn_appconfigurationid><msdyn_uniquename>fabrik_desk</msdyn_uniquename></msdyn_appconfigurationid>
           <msdyn_configuration>{"entities":[{"entity":"incident"},{"entity":"email"}]}</msdyn_configuration><msdyn_isvisible>1</msdyn_isvisible>"#,
    ),
    ("fabrik_sticker", "gold", r#"<fabrik_color>gold</fabrik_color>"#),
];
