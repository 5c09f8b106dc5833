//! C# 11 and .NET 7 or later, as the one file of a console program, with nothing but the framework.

use super::quote::csharp;
use super::{Authority, CA_FILE, CONNECTION_STRING, Method, Save};

pub(super) fn program(save: &Save) -> String {
    let (ca_comment, ca) = match save.authority {
        Authority::Public => (String::new(), "using var client = new HttpClient();\n".to_owned()),
        Authority::Private => (
            format!("// {CA_FILE} names the PEM file of the authority that signed the hub's certificate\n"),
            private_client(),
        ),
    };
    let method = match save.method {
        Method::Patch => "Patch",
        Method::Put => "Put",
    };
    let (url, etag, body) = (csharp(&save.url()), csharp(&save.etag()), csharp(&save.json()));
    format!(
        r#"// {CONNECTION_STRING} holds the connection string of a policy that may write twins
{ca_comment}using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

var policy = Environment.GetEnvironmentVariable("{CONNECTION_STRING}")!
    .Split(';', StringSplitOptions.RemoveEmptyEntries)
    .Select(part => part.Split('=', 2))
    .ToDictionary(part => part[0], part => part[1]);
var resource = Uri.EscapeDataString(policy["HostName"].Split(':')[0]);
var expiry = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 300;
var key = Convert.FromBase64String(policy["SharedAccessKey"]);
var signature = Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{{resource}}\n{{expiry}}")));
var token = $"SharedAccessSignature sr={{resource}}&sig={{Uri.EscapeDataString(signature)}}"
    + $"&se={{expiry}}&skn={{Uri.EscapeDataString(policy["SharedAccessKeyName"])}}";

using var request = new HttpRequestMessage(HttpMethod.{method}, {url});
request.Headers.TryAddWithoutValidation("Authorization", token);
request.Headers.TryAddWithoutValidation("If-Match", {etag});
request.Content = new StringContent({body}, Encoding.UTF8, "application/json");
{ca}using var answer = await client.SendAsync(request);
Console.WriteLine($"{{(int)answer.StatusCode}} {{await answer.Content.ReadAsStringAsync()}}");
return answer.IsSuccessStatusCode ? 0 : 1;
"#
    )
}

/// Trusts the file alone; the name of the host is still checked.
fn private_client() -> String {
    format!(
        r#"var trust = new X509ChainPolicy
{{
    TrustMode = X509ChainTrustMode.CustomRootTrust,
    RevocationMode = X509RevocationMode.NoCheck,
}};
trust.CustomTrustStore.ImportFromPemFile(Environment.GetEnvironmentVariable("{CA_FILE}")!);
var handler = new SocketsHttpHandler();
handler.SslOptions.CertificateChainPolicy = trust;
using var client = new HttpClient(handler);
"#
    )
}
