/// What onboarding made, with the secrets that are shown this once.
struct OnboardingReport: Codable, Sendable {
    struct TenantPart: Codable, Sendable {
        let uuid: String
        let slug: String
    }

    struct UserPart: Codable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case email, password
        }

        let email: String
        /// Nil when the person was known already; shown as null then.
        let password: String?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(email, forKey: .email)
            try container.encode(password, forKey: .password)
        }
    }

    struct StorePart: Codable, Sendable {
        let code: String
        let id: String
        let key: String
    }

    let tenant: TenantPart
    let user: UserPart
    let stores: [StorePart]
    let integration: IssuedIntegration?
}
