import Postgres
import Shared

/// What a client wants to be otherwise with the tenant (RFC 7396); settings and feature flags are merged, too.
struct TenantChange: Sendable {
    private let name: String?
    private let settings, featureFlags: JSONB?
    /// Of what may be null: whether it is to change, and to what.
    private let billingEmail, adminContact: (changes: Bool, to: String?)
    private let whatsappNumbers: [String]?

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        name = body.has("name") ? body.required("name") { $0.name($1) } : nil
        settings = body.object("settings")
        featureFlags = body.object("feature_flags")
        billingEmail = (body.has("billing_email"), body.email("billing_email"))
        adminContact = (body.has("admin_contact"), body.name("admin_contact"))
        whatsappNumbers = body.phoneNumbers("whatsapp_numbers")
        try body.check()
    }

    func apply(to profile: TenantProfile, _ tenant: TenantID) -> Command {
        """
        UPDATE tenants
           SET name = \(name ?? profile.name), settings = merge_patch(settings, \(settings ?? .empty)),
               feature_flags = merge_patch(feature_flags, \(featureFlags ?? .empty)),
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

extension JSONB {
    fileprivate static let empty = JSONB("{}")
}
