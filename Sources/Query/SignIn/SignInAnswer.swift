import Shared

/// What a sign-in answers.
struct SignInAnswer: JSONWritable {
    let accessToken: String
    let refreshToken: OpaqueToken
    let member: Member
    let tenant: Tenant
    let scopes: Set<Scope>
    let memberships: [SignInCandidate.Membership]

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("access_token", accessToken)
            object.field("token_type", "Bearer")
            object.field("expires_in", AccessTokens.lifetime)
            object.field("refresh_token", refreshToken.secret)
            object.field("user", member)
            object.field("tenant", TenantView(tenant: tenant, name: member.tenantName))
            object.field("memberships", memberships)
        }
    }
}
