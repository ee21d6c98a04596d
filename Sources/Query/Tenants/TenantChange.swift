import Postgres
import Shared

/// What a client wants to be otherwise with the tenant (RFC 7396); settings and feature flags are merged, too.
struct TenantChange: Sendable {
    private let name: String?
    private let settings, featureFlags: JSONPatch
    /// Of what may be null: whether it is to change, and to what.
    private let billingEmail, adminContact: (changes: Bool, to: String?)
    private let whatsappNumbers: [String]?

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        name = body.has("name") ? body.required("name") { $0.name($1) } : nil
        body.inspect("settings", isRefused: false) { settings in
            settings.inspect("reservations") { $0.checkReservationSettings() }
        }
        settings = JSONPatch(&body, "settings")
        featureFlags = JSONPatch(&body, "feature_flags")
        billingEmail = (body.has("billing_email"), body.email("billing_email"))
        adminContact = (body.has("admin_contact"), body.name("admin_contact"))
        whatsappNumbers = body.has("whatsapp_numbers") ? body.phoneNumbers("whatsapp_numbers") ?? [] : nil
        try body.check()
    }

    func apply(to profile: TenantProfile, _ tenant: TenantID) -> Command {
        """
        UPDATE tenants
           SET name = \(name ?? profile.name), settings = merge_patch(\(settings.base(profile.settings)), \(settings.patch)),
               feature_flags = merge_patch(\(featureFlags.base(profile.featureFlags)), \(featureFlags.patch)),
               billing_email = \(billingEmail.changes ? billingEmail.to : profile.billingEmail),
               admin_contact = \(adminContact.changes ? adminContact.to : profile.adminContact),
               whatsapp_numbers = \(whatsappNumbers ?? profile.whatsappNumbers), updated_at = now()
         WHERE id = \(tenant)
        """
    }
}

extension JSONBody {
    /// E.164: `+` and at most 15 digits.
    fileprivate mutating func phoneNumbers(_ name: String) -> [String]? {
        guard let texts = texts(name) else { return nil }
        if texts.count > 20 { refuse(name, "too_many", "At most 20.") }
        for (index, text) in texts.enumerated() where !text.contains(/^\+[1-9][0-9]{6,14}$/) {
            refuse("\(name)[\(index)]", "invalid_number", "Must be + and 7 to 15 digits.")
        }
        return texts
    }
}

/// An object that is merged into what there is; null begins anew.
private struct JSONPatch: Sendable {
    let patch: JSONB
    private let beginsAnew: Bool

    init(_ body: inout JSONBody, _ name: String) {
        let isSent = body.has(name)
        let object = body.object(name)
        patch = object ?? JSONB("{}")
        beginsAnew = isSent && object == nil
    }

    func base(_ present: JSONB) -> JSONB { beginsAnew ? JSONB("{}") : present }
}
