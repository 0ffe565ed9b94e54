// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Known, TokenReceiver} from "./Interfaces.sol";

struct Call {
    address target;
    uint256 value;
    bytes data;
}

struct Batch {
    address wallet;
    uint256 nonce;
    uint256 deadline;
    Call[] calls;
}

/// A wallet that its owner signs for and that only the factory can tell to act. Owner and nonce lie in the
/// first two slots: a local chain writes the owner there in place of the venue's immutable argument.
contract DepositWallet is TokenReceiver {
    address public owner;
    uint256 public nonce;

    bytes32 private constant DOMAIN = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant CALL = keccak256("Call(address target,uint256 value,bytes data)");
    bytes32 private constant BATCH =
        keccak256("Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)Call(address target,uint256 value,bytes data)");

    error BadNonce(uint256 given, uint256 expected);
    error BadSignature();
    error TooLate();

    function execute(Batch calldata batch, bytes calldata signature) external {
        require(msg.sender == Known.WALLET_FACTORY, "only the factory");
        require(batch.wallet == address(this), "another wallet");
        if (batch.nonce != nonce) revert BadNonce(batch.nonce, nonce);
        if (block.timestamp > batch.deadline) revert TooLate();
        if (_signer(batch, signature) != owner) revert BadSignature();
        nonce++;
        for (uint256 i = 0; i < batch.calls.length; i++) {
            Call calldata each = batch.calls[i];
            (bool done, bytes memory answer) = each.target.call{value: each.value}(each.data);
            if (!done) {
                assembly {
                    revert(add(answer, 32), mload(answer))
                }
            }
        }
    }

    function _signer(Batch calldata batch, bytes calldata signature) private view returns (address) {
        if (signature.length != 65) return address(1);
        bytes32[] memory hashes = new bytes32[](batch.calls.length);
        for (uint256 i = 0; i < hashes.length; i++) {
            Call calldata each = batch.calls[i];
            hashes[i] = keccak256(abi.encode(CALL, each.target, each.value, keccak256(each.data)));
        }
        bytes32 content =
            keccak256(abi.encode(BATCH, batch.wallet, batch.nonce, batch.deadline, keccak256(abi.encodePacked(hashes))));
        bytes32 domain = keccak256(
            abi.encode(DOMAIN, keccak256("DepositWallet"), keccak256("1"), block.chainid, address(this))
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, content));
        return ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
    }
}

/// The only door to deposit wallets: the venue's relayer is its operator, an owner cannot pass by himself.
contract DepositWalletFactory {
    address public operator; // the first slot

    error OnlyOperator();

    function proxy(Batch[] calldata batches, bytes[] calldata signatures) external {
        if (msg.sender != operator) revert OnlyOperator();
        for (uint256 i = 0; i < batches.length; i++) {
            DepositWallet(batches[i].wallet).execute(batches[i], signatures[i]);
        }
    }
}
