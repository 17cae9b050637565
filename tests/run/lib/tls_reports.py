"""Bodies of RFC 8460 reports as senders write them, deviations included.

Restated from the samples of parsedmarc, mox, mail-auth, dmarc-report-viewer
and RFC 8460 itself; names and addresses are replaced by reserved ones.
"""
BODIES = {
    "google_no_policy":
        r'''{"organization-name":"Google Inc.","date-range":{"start-datetime'''
        r'''":"2024-09-03T00:00:00Z","end-datetime":"2024-09-03T23:59:59Z"},'''
        r'''"contact-info":"smtp-tls-reporting@sender.example","report-id":"'''
        r'''2024-09-03T00:00:00Z_a.example","policies":[{"policy":{"policy-t'''
        r'''ype":"no-policy-found","policy-domain":"a.example"},"summary":{"'''
        r'''total-successful-session-count":48,"total-failure-session-count"'''
        r''':0}}]}''',
    "google_sts":
        r'''{"organization-name":"Google Inc.","date-range":{"start-datetime'''
        r'''":"2022-09-15T00:00:00Z","end-datetime":"2022-09-15T23:59:59Z"},'''
        r'''"contact-info":"smtp-tls-reporting@sender.example","report-id":"'''
        r'''2022-09-15T00:00:00Z_b.example","policies":[{"policy":{"policy-t'''
        r'''ype":"sts","policy-string":["version: STSv1","mode: enforce","ma'''
        r'''x_age: 86400","mx: komijn.b.example"],"policy-domain":"b.example'''
        r'''","mx-host":["komijn.b.example"]},"summary":{"total-successful-s'''
        r'''ession-count":3,"total-failure-session-count":0}}]}''',
    "microsoft_no_zone":
        r'''{"organization-name":"Microsoft Corporation","date-range":{"star'''
        r'''t-datetime":"2023-01-10T00:00:00","end-datetime":"2023-01-10T23:'''
        r'''59:59"},"contact-info":"tlsrpt-noreply@sender.example","report-i'''
        r'''d":"133198585438131172+b.example","policies":[{"policy":{"policy'''
        r'''-type":"sts","policy-string":["version: STSv1","mode: enforce","'''
        r'''mx: komijn.b.example","max_age: 86400"],"policy-domain":"b.examp'''
        r'''le"},"summary":{"total-successful-session-count":2,"total-failur'''
        r'''e-session-count":0}}]}''',
    "microsoft_packed_tlsa":
        r'''{"organization-name":"Microsoft Corporation","date-range":{"star'''
        r'''t-datetime":"2025-05-23T00:00:00Z","end-datetime":"2025-05-23T23'''
        r''':59:59Z"},"contact-info":"tlsrpt-noreply@sender.example","report'''
        r'''-id":"133925885310113267+c.example","policies":[{"policy":{"poli'''
        r'''cy-type":"sts","policy-string":["version: STSv1","mode: enforce"'''
        r''',"mx: *.c.example","max_age: 2592000"],"policy-domain":"c.exampl'''
        r'''e"},"summary":{"total-successful-session-count":2,"total-failure'''
        r'''-session-count":0}},{"policy":{"policy-type":"tlsa","policy-stri'''
        r'''ng":["[\"3 1 1 6007EEE553E85D8DF007A845D19EC343283D4E416E9A33F9E'''
        r'''F3040C8B7C285BC\",\"3 1 1 837C773D54C2E2BD71871A3FC352BE8214D564'''
        r'''6CBAE5E3091401A7274717998B\"]"],"policy-domain":"c.example"},"su'''
        r'''mmary":{"total-successful-session-count":2,"total-failure-sessio'''
        r'''n-count":0}}]}''',
    "microsoft_fetch_error":
        r'''{"organization-name":"Microsoft Corporation","date-range":{"star'''
        r'''t-datetime":"2025-06-14T00:00:00Z","end-datetime":"2025-06-14T23'''
        r''':59:59Z"},"contact-info":"tlsrpt-noreply@sender.example","report'''
        r'''-id":"1234567890+","policies":[{"policy":{"policy-type":"sts","p'''
        r'''olicy-domain":"d.example"},"summary":{"total-successful-session-'''
        r'''count":0,"total-failure-session-count":3},"failure-details":[{"r'''
        r'''esult-type":"sts-policy-fetch-error","failed-session-count":3}]}'''
        r''']}''',
    "mailru_details_over_total":
        r'''{"contact-info":"tls_support@sender.example","date-range":{"end-'''
        r'''datetime":"2024-02-23T00:00:00Z","start-datetime":"2024-02-22T00'''
        r''':00:00Z"},"organization-name":"Mail.ru","policies":[{"failure-de'''
        r'''tails":[{"failed-session-count":1,"failure-reason-code":"bad htt'''
        r'''ps response code: 404","result-type":"sts-policy-fetch-error"},{'''
        r'''"failed-session-count":1,"failure-reason-code":"bad https respon'''
        r'''se code: 500","result-type":"sts-policy-fetch-error"}],"policy":'''
        r'''{"policy-domain":"example.com","policy-type":"sts"},"summary":{"'''
        r'''total-failure-session-count":1,"total-successful-session-count":'''
        r'''0}}],"report-id":"b28254de-7b2e-be36-bb5c-4c3b92da8b25@sender.ex'''
        r'''ample"}''',
    "null_contact_mx_key":
        r'''{"organization-name":"e.example","date-range":{"start-datetime":'''
        r'''"2026-01-11T00:00:00Z","end-datetime":"2026-01-12T00:00:00Z"},"c'''
        r'''ontact-info":null,"report-id":"123_456","policies":[{"policy":{"'''
        r'''policy-type":"sts","policy-string":["version: STSv1","mode: enfo'''
        r'''rce","max_age: 86400","mx: mx.e.example"],"policy-domain":"e.exa'''
        r'''mple","mx-host":["mx: mx.e.example"]},"summary":{"total-successf'''
        r'''ul-session-count":1,"total-failure-session-count":0},"failure-de'''
        r'''tails":[]}]}''',
    "rfc8460_string_mx_host":
        r'''{"organization-name":"Company-X","date-range":{"start-datetime":'''
        r'''"2016-04-01T00:00:00Z","end-datetime":"2016-04-01T23:59:59Z"},"c'''
        r'''ontact-info":"sts-reporting@sender.example","report-id":"5065427'''
        r'''c-23d3-47ca-b6e0-946ea0e8c4be","policies":[{"policy":{"policy-ty'''
        r'''pe":"sts","policy-string":["version: STSv1","mode: testing","mx:'''
        r''' *.mail.f.example","max_age: 86400"],"policy-domain":"f.example"'''
        r''',"mx-host":"*.mail.f.example"},"summary":{"total-successful-sess'''
        r'''ion-count":5326,"total-failure-session-count":303},"failure-deta'''
        r'''ils":[{"result-type":"certificate-expired","sending-mta-ip":"200'''
        r'''1:db8::12","receiving-mx-hostname":"mx1.mail.f.example","failed-'''
        r'''session-count":100},{"result-type":"starttls-not-supported","sen'''
        r'''ding-mta-ip":"2001:db8::13","receiving-mx-hostname":"mx2.mail.f.'''
        r'''example","receiving-ip":"203.0.113.56","failed-session-count":20'''
        r'''0,"additional-information":"https://reports.sender.example/repor'''
        r'''t_info?id=5065427c-23d3#StarttlsNotSupported"},{"result-type":"v'''
        r'''alidation-failure","sending-mta-ip":"198.51.100.62","receiving-i'''
        r'''p":"203.0.113.58","receiving-mx-hostname":"mx-backup.mail.f.exam'''
        r'''ple","failed-session-count":3,"failure-reason-code":"X509_V_ERR_'''
        r'''PROXY_PATH_LENGTH_EXCEEDED"}]}]}''',
    "validation_without_reason":
        r'''{"organization-name":"Example Inc.","date-range":{"start-datetim'''
        r'''e":"2024-01-09T00:00:00Z","end-datetime":"2024-01-09T23:59:59Z"}'''
        r''',"contact-info":"smtp-tls-reporting@example.com","report-id":"20'''
        r'''24-01-09T00:00:00Z_example.com","policies":[{"policy":{"policy-t'''
        r'''ype":"sts","policy-string":["version: STSv1","mode: testing","mx'''
        r''': example.com","max_age: 86400"],"policy-domain":"example.com"},'''
        r'''"summary":{"total-successful-session-count":0,"total-failure-ses'''
        r'''sion-count":3},"failure-details":[{"result-type":"validation-fai'''
        r'''lure","sending-mta-ip":"192.0.2.1","receiving-ip":"192.0.2.1","r'''
        r'''eceiving-mx-hostname":"example.com","failed-session-count":2},{"'''
        r'''result-type":"validation-failure","sending-mta-ip":"192.0.2.1","'''
        r'''receiving-ip":"192.0.2.1","receiving-mx-hostname":"example.com",'''
        r'''"failed-session-count":1}]}]}''',
    "seven_days":
        r'''{"report-id":"2020-01-01T00:00:00Z_example.com","date-range":{"s'''
        r'''tart-datetime":"2020-01-01T00:00:00Z","end-datetime":"2020-01-07'''
        r'''T23:59:59Z"},"organization-name":"Google Inc.","contact-info":"s'''
        r'''mtp-tls-reporting@sender.example","policies":[{"policy":{"policy'''
        r'''-type":"sts","policy-string":["version: STSv1","mode: enforce","'''
        r'''mx: demo.example.com","max_age: 604800"],"policy-domain":"exampl'''
        r'''e.com"},"summary":{"total-successful-session-count":23,"total-fa'''
        r'''ilure-session-count":1},"failure-details":[{"result-type":"certi'''
        r'''ficate-host-mismatch","sending-mta-ip":"192.0.2.1","receiving-ip'''
        r'''":"192.0.2.1","receiving-mx-hostname":"demo.example.com","failed'''
        r'''-session-count":1}]}]}''',
    "unknown_type_no_domain":
        r'''{"organization-name":"Google Inc.","date-range":{"start-datetime'''
        r'''":"2019-04-14T00:00:00Z","end-datetime":"2019-04-14T23:59:59Z"},'''
        r'''"contact-info":"smtp-tls-reporting@sender.example","report-id":"'''
        r'''2019-04-14T00:00:00Z_example.org","policies":[{"policy":{"policy'''
        r'''-type":"no-policy-found"},"summary":{"total-successful-session-c'''
        r'''ount":1}},{"policy":{"policy-type":"invalid-policy-type"},"summa'''
        r'''ry":{"total-successful-session-count":1}}]}''',
}
