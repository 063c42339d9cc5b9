/**
 * A self-signed certificate for 127.0.0.1 and localhost with its key, for TLS servers in tests. Nothing trusts it but
 * the tests that name it as their CA.
 */
export const loopbackCertificate = {
  cert: [
    "-----BEGIN CERTIFICATE-----",
    "MIIBaDCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAkxMjcuMC4w",
    "LjEwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM",
    "CTEyNy4wLjAuMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEdG3/E9W3D6rTUy",
    "eQ+PcW9Z9KxG9UIGfSaSRTBzKsJozHu2x2CLM8Vw0VbVxNUtyfQT4XHKR05Z5uOl",
    "0PJHg7SjTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYcEfwAAAYIJbG9j",
    "YWxob3N0MB0GA1UdDgQWBBTplSR8TSK2rb0xNZSGlYktZMC43zAKBggqhkjOPQQD",
    "AgNJADBGAiEApDMxfpheLe9yN0cqvM9KOfpnxi1hIlvnteFsp7NNvuACIQD++uqL",
    "ECbxgdoniX+BleCeHFTBx7/M14wm8ocK0SA+VQ==",
    "-----END CERTIFICATE-----",
  ].join("\n"),
  key: [
    "-----BEGIN PRIVATE KEY-----",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXSMbhYGHQDFxq/vB",
    "AuMpDCsvYK9n/Ipml+YgYxGH1W6hRANCAARHRt/xPVtw+q01MnkPj3FvWfSsRvVC",
    "Bn0mkkUwcyrCaMx7tsdgizPFcNFW1cTVLcn0E+FxykdOWebjpdDyR4O0",
    "-----END PRIVATE KEY-----",
  ].join("\n"),
};
