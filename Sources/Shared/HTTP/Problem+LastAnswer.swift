import Foundation
import HTTPTypes
import NIOCore

extension Problem {
    /// The answer to what never becomes a request of the router's, behind which the connection ends: head and whole body.
    func lastAnswer() -> (head: HTTPResponse, body: ByteBuffer) {
        let id = UUID.v7().lowercaseString
        // Encoding a few strings does not fail; if it did, the client still gets the status.
        let body = (try? encoded(requestID: id)) ?? ByteBuffer()
        var head = HTTPResponse(status: status)
        head.headerFields = headers
        head.headerFields[.contentType] = Problem.contentType
        head.headerFields[.contentLength] = String(body.readableBytes)
        head.headerFields[.connection] = "close"
        head.headerFields[.requestID] = id
        return (head, body)
    }
}
