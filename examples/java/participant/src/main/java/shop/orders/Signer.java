package shop.orders;

import com.google.protobuf.ByteString;
import io.shopstar.customer.v1.CustomerErasureRequested;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Signs confirmations with this service's Ed25519 key, if it has one. customer-service puts the signature into the receipt. */
@ApplicationScoped
public class Signer {
  /** PKCS#8 in base64. */
  @ConfigProperty(name = "signing-key")
  Optional<String> key;

  public ByteString sign(CustomerErasureRequested event, String service, String evidence) {
    if (key.isEmpty()) {
      return ByteString.EMPTY;
    }
    try {
      var id = UUID.fromString(event.getRequestId());
      var salt = ByteBuffer.allocate(16).putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
      var sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(salt.array());
      var hash = HexFormat.of().formatHex(sha256.digest(evidence.getBytes(StandardCharsets.UTF_8)));
      var signature = Signature.getInstance("Ed25519");
      signature.initSign(privateKey());
      signature.update(String.join("\n",
          "customer-service/erasure-confirmation@1",
          event.getStoreId().toLowerCase(),
          event.getCustomerId().toLowerCase(),
          event.getRequestId().toLowerCase(),
          service + " " + hash).getBytes(StandardCharsets.UTF_8));
      return ByteString.copyFrom(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Cannot sign: signing-key is not an Ed25519 key in PKCS#8", e);
    }
  }

  private PrivateKey privateKey() throws GeneralSecurityException {
    var pkcs8 = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(key.orElseThrow()));
    return KeyFactory.getInstance("Ed25519").generatePrivate(pkcs8);
  }
}
