import Shared

extension Sessions {
    /// Checks the password and begins a session in the tenant that was named, or in the only one there is.
    ///
    /// - Parameter address: where the attempt comes from.
    /// - Throws: as ``PasswordCheck/verify(_:from:)``, ``Person/membership(in:)`` and ``begin(for:in:as:after:from:)``.
    func signIn(
        _ signIn: SignIn, _ check: PasswordCheck, from address: String?, _ origin: AuditEntry.Origin
    ) async throws -> SignInAnswer {
        let verified = try await check.verify(signIn, from: address)
        let membership = try verified.person.membership(in: signIn.tenants)
        if verified.needsRehash { try await rehash(signIn.password, of: verified, in: membership.tenant, check) }
        return try await begin(
            for: verified.person, in: membership.tenant, after: verified.noteSignIn(), from: origin)
    }

    /// Begins the first session of somebody who has just become a member, and proved by that who they are.
    func welcome(_ email: String, to tenant: Tenant, _ origin: AuditEntry.Origin) async throws -> SignInAnswer {
        let candidates = try await database.lookUp(SignInCandidate.all(of: email))
        guard let person = Person(email: email, candidates) else { throw Problem.noMembership }
        return try await begin(for: person, in: tenant, after: person.noteArrival(), from: origin)
    }

    /// Where too many passwords wait it can wait, too: for the next sign-in.
    private func rehash(
        _ password: String, of verified: VerifiedPerson, in tenant: Tenant, _ check: PasswordCheck
    ) async throws {
        guard let hash = try? await check.passwords.hash(password) else { return }
        try await database.withTenant(tenant) { tx in _ = try await tx.run(verified.keepRehashed(hash)) }
    }
}
