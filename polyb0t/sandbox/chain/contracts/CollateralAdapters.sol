// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IToken, Known, TokenReceiver} from "./Interfaces.sol";

/// Complete sets and redemption in pUSD over the real ConditionalTokens contract. As at the venue, the
/// adapter works on the caller's own tokens, which the caller lets it move, and it ignores the collateral,
/// the parent and the index sets that the ABI makes it take.
abstract contract CollateralAdapter is TokenReceiver {
    function underlying() public pure virtual returns (IToken);

    function splitPosition(address, bytes32, bytes32 conditionId, uint256[] calldata, uint256 amount) external {
        require(Known.PUSD.transferFrom(msg.sender, address(this), amount), "pUSD");
        Known.PUSD.burn(address(this), amount);
        underlying().mint(address(this), amount);
        underlying().approve(address(Known.CTF), amount);
        Known.CTF.splitPosition(address(underlying()), bytes32(0), conditionId, _both(), amount);
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (amount, amount);
        Known.CTF.safeBatchTransferFrom(address(this), msg.sender, positions(conditionId), amounts, "");
    }

    function mergePositions(address, bytes32, bytes32 conditionId, uint256[] calldata, uint256 amount) external {
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (amount, amount);
        Known.CTF.safeBatchTransferFrom(msg.sender, address(this), positions(conditionId), amounts, "");
        Known.CTF.mergePositions(address(underlying()), bytes32(0), conditionId, _both(), amount);
        _pay(msg.sender, amount);
    }

    function redeemPositions(address, bytes32, bytes32 conditionId, uint256[] calldata) external {
        redeemAll(conditionId, msg.sender);
    }

    function redeemAll(bytes32 conditionId, address owner) internal {
        uint256[] memory ids = positions(conditionId);
        uint256[] memory amounts = new uint256[](2);
        for (uint256 i = 0; i < 2; i++) amounts[i] = Known.CTF.balanceOf(owner, ids[i]);
        Known.CTF.safeBatchTransferFrom(owner, address(this), ids, amounts, "");
        uint256 before = underlying().balanceOf(address(this));
        Known.CTF.redeemPositions(address(underlying()), bytes32(0), conditionId, _both());
        _pay(owner, underlying().balanceOf(address(this)) - before);
    }

    function positions(bytes32 conditionId) public view returns (uint256[] memory ids) {
        ids = new uint256[](2);
        for (uint256 i = 0; i < 2; i++) {
            bytes32 collection = Known.CTF.getCollectionId(bytes32(0), conditionId, i + 1);
            ids[i] = Known.CTF.getPositionId(address(underlying()), collection);
        }
    }

    function _pay(address owner, uint256 amount) private {
        underlying().burn(address(this), amount);
        Known.PUSD.mint(owner, amount);
    }

    function _both() private pure returns (uint256[] memory sets) {
        sets = new uint256[](2);
        (sets[0], sets[1]) = (1, 2);
    }
}

contract CtfCollateralAdapter is CollateralAdapter {
    function underlying() public pure override returns (IToken) {
        return Known.BRIDGED_USDC;
    }
}

contract NegRiskCtfCollateralAdapter is CollateralAdapter {
    function underlying() public pure override returns (IToken) {
        return Known.WRAPPED_COLLATERAL;
    }
}

/// The operator that redeems for whoever let it: a claim of ours may find that it was there first.
contract AutoRedeemer is CollateralAdapter {
    function underlying() public pure override returns (IToken) {
        return Known.BRIDGED_USDC;
    }

    function redeemFor(address owner, bytes32 conditionId) external {
        redeemAll(conditionId, owner);
    }
}
