/// What to try in a running demo. Everything can be pasted into a shell.
enum DemoGuide {
    static func text(_ demo: DemoFile) -> String {
        """

        Pulsegate is running: ingest at \(demo.ingestURL), query at \(demo.queryURL).
        Tenant \(demo.tenant), user \(demo.email), password \(demo.password); all of it is in .local/demo.json.

        Sign in:
          TOKEN=$(curl -s \(demo.queryURL)/api/v1/auth/login -H 'Content-Type: application/json' \\
            -d '{"email":"\(demo.email)","password":"\(demo.password)"}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

        See a store live:
          curl -s \(demo.queryURL)/api/v1/stores/\(demo.store)/status -H "Authorization: Bearer $TOKEN"

        The state of the car park's bays:
          curl -s "\(demo.queryURL)/api/v1/spaces?site=P01&limit=5" -H "Authorization: Bearer $TOKEN"

        How full it was today, hour by hour (shares of the time):
          curl -s "\(demo.queryURL)/api/v1/sites/P01/occupancy?step=1h&from=$(date -u -d '6 hours ago' +%FT%TZ)" -H "Authorization: Bearer $TOKEN"

        Book one of its bays for tomorrow; the second time it is taken, and you are told what is free:
          BAY=$(curl -s "\(demo.queryURL)/api/v1/spaces?site=P01&limit=1" -H "Authorization: Bearer $TOKEN" | sed 's/.*"data":\\[{"id":"\\([^"]*\\)".*/\\1/')
          for NAME in Ana Eva; do curl -s \(demo.queryURL)/api/v1/reservations -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
            -d '{"space_id":"'$BAY'","starts_at":"'$(date -u -d 'tomorrow 10:00' +%FT%TZ)'","ends_at":"'$(date -u -d 'tomorrow 11:00' +%FT%TZ)'","holder":{"name":"'$NAME'"}}'; echo; done

        Sensors that nobody entered yet; claim one, and what it said becomes its readings:
          curl -s "\(demo.queryURL)/api/v1/orphan-devices" -H "Authorization: Bearer $TOKEN"
          curl -s \(demo.queryURL)/api/v1/orphan-devices/\(DemoPlaces.strangerEUI(0))/claim -H "Authorization: Bearer $TOKEN" \\
            -H 'Content-Type: application/json' -d '{"name":"Found in the stock room"}'

        What the warehouse keeps, and what runs low; a job raises alerts, and the feed buys more after a while:
          curl -s "\(demo.queryURL)/api/v1/products?limit=3" -H "Authorization: Bearer $TOKEN"
          curl -s "\(demo.queryURL)/api/v1/alerts?status=firing&limit=3" -H "Authorization: Bearer $TOKEN"

        Take goods out with a vale; the second asks for more than there is, and is told what is short:
          SITE=$(curl -s \(demo.queryURL)/api/v1/sites/W01 -H "Authorization: Bearer $TOKEN" | sed 's/^{"id":"\\([^"]*\\)".*/\\1/')
          GOODS=$(curl -s "\(demo.queryURL)/api/v1/products?limit=1" -H "Authorization: Bearer $TOKEN" | sed 's/.*"data":\\[{"id":"\\([^"]*\\)".*/\\1/')
          curl -s \(demo.queryURL)/api/v1/stock-movements -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
            -d '{"product_id":"'$GOODS'","site_id":"'$SITE'","kind":"receipt","quantity":"25","reason":"Counted"}'; echo
          for PIECES in 2 1000000; do curl -s \(demo.queryURL)/api/v1/vales -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
            -d '{"site_id":"'$SITE'","requested_by":"Ana","lines":[{"product_id":"'$GOODS'","quantity":'$PIECES'}]}'; echo; done

        Listen to what happens, as it happens (Ctrl-C ends it):
          curl -sN "\(demo.queryURL)/api/v1/events/stream" -H "Authorization: Bearer $TOKEN"

        Send a metric as that store's gateway:
          curl -s \(demo.ingestURL)/v1/metrics/batch -H 'Content-Type: application/json' \\
            -H 'Authorization: Bearer \(demo.storeAPIKey)' -d '{"metrics":[{"name":"hello","value":1}]}'

        Invite somebody; the letter is in .local/mail, and its token lets them join (a front end of yours would be behind its link):
          curl -s \(demo.queryURL)/api/v1/users -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
            -d '{"email":"ana@example.com","name":"Ana","role":"operator"}'
          sleep 1; LETTER=$(grep -oh 'token=[A-Za-z0-9_-]*' .local/mail/*.txt | tail -1 | cut -d= -f2)
          curl -s \(demo.queryURL)/api/v1/auth/invitations/accept -H 'Content-Type: application/json' \\
            -d '{"token":"'$LETTER'","name":"Ana","password":"chosen by Ana alone"}'

        Connect another network server; the answer says what to type into it:
          curl -s \(demo.queryURL)/api/v1/integrations -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
            -d '{"name":"ChirpStack","dialect":"generic","auth":"header","header_name":"X-Token"}'

        Logs are .local/ingest.log, .local/query.log and .local/feed.log. Ctrl-C stops everything.

        """
    }
}
